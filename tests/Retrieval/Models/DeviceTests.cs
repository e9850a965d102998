using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Tests.Models;

/// <summary>Models on a device. The meta device stands for one that is not the CPU.</summary>
public sealed class DeviceTests
{
    [Fact]
    public void Every_pass_is_compared_and_the_cpu_is_like_itself()
    {
        var checks = RetrievalDeviceChecks.Run(CPU).ToList();
        Assert.Equal(
            [
                "decoder, training, float32", "dense encoder, training, float32", "encoder-decoder, training, float32",
                "decoder, training, bf16", "dense encoder, training, bf16", "encoder-decoder, training, bf16",
                "decoder, reading and extending", "encoder-decoder, reading and extending",
                "decoder, answers in fixed shapes, float32", "dense leg, answers in fixed shapes, float32",
                "decoder, answers in fixed shapes, bf16", "dense leg, answers in fixed shapes, bf16",
            ],
            checks.Select(check => check.Name));
        Assert.All(checks, check => Assert.InRange(check.Error, 0, check.Name.Contains("bf16") ? check.Bound : 1e-5));
        Assert.All(checks.TakeLast(2), check => Assert.InRange(check.Error, 1e-4, check.Bound)); // bf16 did compute
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(21)]
    public void Fixed_shapes_follow_from_the_number_of_histories_alone(int longest)
    {
        var random = new Random(longest);
        for (int rows = 1; rows <= 40; rows++)
        {
            var shapes = new HashSet<(int Rows, int Slots, int Longest)>();
            for (int draw = 0; draw < 20; draw++)
            {
                int[] lengths = [.. Enumerable.Range(0, rows).Select(_ =>
                    draw switch { 0 => 1, 1 => longest, _ => random.Next(1, longest + 1) })];
                int[] starts = [0, .. lengths.Select((_, row) => lengths.Take(row + 1).Sum())];
                int[] behind = FixedShapes.Behind(starts, longest);
                Assert.All(behind, slots => Assert.InRange(slots, 1, longest));
                shapes.Add((rows + behind.Length, starts[^1] + behind.Sum(), lengths.Concat(behind).Max()));
            }

            int size = FixedShapes.Size(rows);
            Assert.Equal([((2 * size) + 1, (size * (longest + 1)) + longest, longest)], shapes);
        }
    }

    [Fact]
    public void Item_vectors_move_with_their_features()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        using var vectors = new ItemVectors(4, 8, ones(5, 3), learns: true, deviation: 0.1, generator);
        using (NewDisposeScope())
        {
            vectors.MoveTo(META);
        }

        ModuleFields.AreAllOnMeta(vectors);
    }

    [Fact]
    public void The_decoder_moves_with_all_of_its_layers()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        using var network = new DecoderOnly(new TokenLayout([4, 4], 2), Tiny.Options, generator);
        using (NewDisposeScope())
        {
            network.MoveTo(META);
        }

        ModuleFields.AreAllOnMeta(network);
    }

    [Fact]
    public void The_encoder_decoder_moves_with_all_of_its_layers()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        using var network = new EncoderDecoder(new TokenLayout([4, 4], 2), Tiny.Options, generator);
        using (NewDisposeScope())
        {
            network.MoveTo(META);
        }

        ModuleFields.AreAllOnMeta(network);
    }

    [Fact]
    public void The_encoder_of_the_dense_legs_moves_with_all_of_its_layers()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        using var encoder = new SequenceEncoder(Tiny.Options, generator);
        using (NewDisposeScope())
        {
            encoder.MoveTo(META);
        }

        ModuleFields.AreAllOnMeta(encoder);
    }
}
