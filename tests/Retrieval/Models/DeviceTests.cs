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
            ],
            checks.Select(check => check.Name));
        Assert.All(checks, check => Assert.InRange(check.Error, 0, check.Name.Contains("bf16") ? check.Bound : 1e-5));
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
