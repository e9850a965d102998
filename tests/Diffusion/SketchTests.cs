using Recsys.Catalog;
using Recsys.Diffusion.Conditioners;
using Recsys.Diffusion.Model;
using Recsys.Diffusion.Training;

namespace Recsys.Diffusion.Tests;

public class SketchTests
{
    // Four plain grey 8 × 8 pictures under two levels of two codes.
    private static readonly double[] Greys = [-1, -.5, .25, 1];

    private static CreativeTrainingData Data(params bool[] present)
    {
        var pixels = new byte[4 * 192];
        for (int at = 0; at < pixels.Length; at++)
        {
            pixels[at] = (byte)Math.Round((Greys[at / 192] + 1) * 127.5);
        }

        bool[] all = [true, true, true, true];
        return new CreativeTrainingData(
            [new([0, 0]), new([0, 1]), new([1, 0]), new([1, 1])], [2, 2], pixels, present.Length == 0 ? all : present, 8);
    }

    private static double[] Sketches(CreativeTrainingData data, params SemanticId[] ids)
    {
        using var scope = NewDisposeScope();
        using var tables = new SketchTables([2, 2], 4, 8);
        using var conditioner = new SemanticIdConditioner([2, 2], 8, sketch: tables);
        tables.Fit(data);
        var sketch = conditioner.Encode(ids).Concat!;
        Assert.Equal([ids.Length, 3, 8, 8], sketch.shape);
        Assert.True(
            (sketch.amax([1, 2, 3]) - sketch.amin([1, 2, 3])).abs().max().item<float>() < 1e-5, "a plain grey stays plain when resized");
        return [.. sketch.mean([1, 2, 3]).data<float>().ToArray().Select(v => (double)v)];
    }

    [Fact]
    public void Sketches_are_residual_means_with_one_item_more_of_nothing()
    {
        double mean = Greys.Average();
        double first = (Greys[0] + Greys[1] - (2 * mean)) / 3, second = (Greys[2] + Greys[3] - (2 * mean)) / 3;
        double[] rest = [Greys[0] - mean - first, Greys[1] - mean - first, Greys[2] - mean - second, Greys[3] - mean - second];
        double zero = (rest[0] + rest[2]) / 3, one = (rest[1] + rest[3]) / 3;
        double[] expected = [mean + first + zero, mean + second + one, mean + first, mean];
        var sketches = Sketches(Data(), new([0, 0]), new([1, 1]), new([0]), default);
        Assert.All(expected.Zip(sketches), pair => Assert.Equal(pair.First, pair.Second, .01)); // greys are rounded to bytes
    }

    [Fact]
    public void Items_without_a_picture_do_not_count()
    {
        var sketches = Sketches(Data(true, false, false, false), default(SemanticId));
        Assert.Equal(Greys[0], sketches[0], .01);
    }
}
