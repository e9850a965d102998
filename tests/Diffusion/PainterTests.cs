using System.Buffers.Binary;
using System.Text;
using Recsys.Catalog;
using Recsys.Diffusion.Predictions;
using Recsys.Diffusion.Recipes;
using Recsys.Diffusion.Service;
using Recsys.Imaging;

namespace Recsys.Diffusion.Tests;

[Collection(TinyModelCollection.Name)]
public class PainterTests(TinyModel tiny)
{
    private static readonly SemanticId Id = TinyModel.Ids[1];

    private static byte[] Pixels(Painting painting) => ImageDecoder.Decode(painting.Png).Rgb;

    // The tEXt chunks as any PNG reader finds them: length, type, keyword, zero, text, checksum.
    private static Dictionary<string, string> Texts(byte[] png)
    {
        var texts = new Dictionary<string, string>();
        for (int at = 8, length; at < png.Length; at += 12 + length)
        {
            length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(at));
            string[] parts = Encoding.Latin1.GetString(png, at + 8, length).Split('\0');
            if (Encoding.Latin1.GetString(png, at + 4, 4) == "tEXt")
            {
                texts.Add(parts[0], parts[1]);
            }
        }

        return texts;
    }

    private static int Largest(byte[] a, byte[] b) => a.Zip(b, (x, y) => Math.Abs(x - y)).Max();

    [Fact]
    public void A_picture_does_not_depend_on_what_is_drawn_with_it()
    {
        using var painter = new Painter(tiny.Model, "v1").WithItems(null!) as Painter;
        var many = Enumerable.Range(0, 21).Select(i => new PaintRequest(i % 3 == 0 ? Id : new SemanticId([1]), 100 + i)).ToArray();
        var together = painter!.Generate(many, new PaintOptions { Guidance = 2 });
        foreach (int i in new[] { 0, 7, 15, 16, 20 })
        {
            byte[] alone = Pixels(painter.Generate([many[i]], new PaintOptions { Guidance = 2 })[0]);
            Assert.True(Largest(alone, Pixels(together[i])) <= 1, $"picture {i}");
        }
    }

    [Fact]
    public void Another_seed_is_another_picture_and_the_same_seed_the_same_bytes()
    {
        using var painter = View();
        PaintRequest[] requests = [new(Id, 1), new(Id, 2)];
        var (first, again) = (painter.Generate(requests, new PaintOptions()), painter.Generate(requests, new PaintOptions()));
        Assert.Equal(first[0].Png, again[0].Png);
        Assert.Equal(first[1].Png, again[1].Png);
        Assert.NotEqual(Pixels(first[0]), Pixels(first[1]));
    }

    [Fact]
    public void A_png_says_how_to_draw_it_again()
    {
        using var painter = View();
        var painting = painter.Generate([new PaintRequest(Id, -7)], new PaintOptions { Steps = 3, Guidance = 1.5, Size = 16 })[0];
        var picture = ImageDecoder.Decode(painting.Png);
        Assert.Equal((16, 16), (picture.Width, picture.Height));
        var text = Texts(painting.Png);
        Assert.Equal("v1", text["version"]);
        Assert.Equal($"{tiny.Model.Recipe.Name}@{tiny.Model.Recipe.Hash()}", text["recipe"]);
        var again = painter.Generate(
            [new PaintRequest(SemanticId.Parse(text["semantic-id"]), long.Parse(text["seed"]))],
            new PaintOptions { Steps = int.Parse(text["steps"]), Guidance = double.Parse(text["guidance"]), Size = picture.Width })[0];
        Assert.Equal(painting.Png, again.Png);
    }

    [Fact]
    public void Progress_counts_every_step_of_every_batch()
    {
        using var painter = View();
        var seen = new List<PaintProgress>();
        painter.Generate(
            [.. Enumerable.Range(0, Painter.BatchSize + 1).Select(i => new PaintRequest(Id, i))], new PaintOptions { Steps = 2 },
            new Each(seen.Add));
        Assert.Equal([new(1, 4), new(2, 4), new(3, 4), new(4, 4)], seen);
    }

    [Fact]
    public void Cancelling_stops_within_one_step()
    {
        using var painter = View();
        using var stop = new CancellationTokenSource();
        int steps = 0;
        long tensors = TinyModel.LiveTensors();
        Assert.Throws<OperationCanceledException>(() => painter.Generate(
            [new PaintRequest(Id, 1)],
            new PaintOptions { Steps = 50 },
            new Each(p =>
            {
                steps = p.Step;
                if (p.Step == 3)
                {
                    stop.Cancel();
                }
            }),
            stop.Token));
        Assert.Equal(3, steps);
        Assert.Equal(tensors, Tensor.TotalCount);
    }

    [Fact]
    public void Threads_that_draw_at_once_get_what_each_would_get_alone()
    {
        using var painter = View();
        var expected = Enumerable.Range(0, 4).Select(i => painter.Generate([new PaintRequest(Id, i)], new PaintOptions())[0].Png).ToArray();
        var drawn = new byte[4][];
        Parallel.For(0, 4, i => drawn[i] = painter.Generate([new PaintRequest(Id, i)], new PaintOptions())[0].Png);
        Assert.All(expected.Zip(drawn), pair => Assert.Equal(pair.First, pair.Second));
    }

    [Fact]
    public void Options_out_of_range_are_all_named_at_once()
    {
        using var painter = View();
        var fault = Assert.Throws<CatalogException>(
            () => painter.Generate([new PaintRequest(Id, 1)], new PaintOptions { Size = 7, Steps = 1001, Guidance = double.NaN }));
        Assert.Equal(Fault.InvalidArgument, fault.Fault);
        foreach (string name in new[] { "size is 7", "steps is 1001", "guidance is NaN" })
        {
            Assert.Contains(name, fault.Message, StringComparison.Ordinal);
        }

        Assert.Throws<CatalogException>(() => painter.Generate([], new PaintOptions()));
        Assert.Throws<CatalogException>(() => painter.Generate([new PaintRequest(new SemanticId([0, 2]), 1)], new PaintOptions()));
    }

    // A view shares the fixture's model and disposes nothing.
    private Painter View() => (Painter)new Painter(tiny.Model, "v1").WithItems(null!);

    private sealed class Each(Action<PaintProgress> act) : IProgress<PaintProgress>
    {
        public void Report(PaintProgress value) => act(value);
    }
}
