using Recsys.Quantizer.Models;

namespace Recsys.Quantizer.Tests;

/// <summary>Models on a device. The meta device stands for one that is not the CPU.</summary>
public sealed class DeviceTests
{
    [Fact]
    public void Every_model_is_compared_and_the_cpu_is_like_itself()
    {
        var checks = QuantizerDeviceChecks.Run(CPU).ToList();
        Assert.Equal(
            [
                "RQ-VAE, loss and reconstruction", "residual codebooks, decode", "product codebooks, decode", "FSQ, reconstruction",
                "LFQ, reconstruction",
            ],
            checks.Select(check => check.Name));
        Assert.All(checks, check => Assert.InRange(check.Error, 0, 1e-5));
    }

    public static TheoryData<QuantizerKind> Kinds => [.. Enum.GetValues<QuantizerKind>()];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_kind_moves_with_its_whole_state(QuantizerKind kind)
    {
        using var scope = NewDisposeScope();
        var options = new QuantizerOptions
        {
            Kind = kind, Levels = 2, CodebookSize = 8, Beam = kind.IsResidual() ? 4 : 1, MinPerplexity = 0,
            RqVae = new RqVaeOptions { Hidden = [8], LatentDim = 4, Epochs = 2, WarmUpEpochs = 1 },
        };
        using var codebook = Training.QuantizerTrainer.Train(Blobs.Fused(60, 5, 10, 1), options, 1, null, default);
        codebook.Model.MoveTo(META);
        ModuleFields.AreAllOnMeta(codebook.Model);
        Assert.All(codebook.Model.state_dict(), state => Assert.Equal(DeviceType.META, state.Value.device.type));
    }

    [Fact]
    public void A_model_moves_with_everything_that_it_computes_with()
    {
        using var scope = NewDisposeScope();
        using var model = new RqVae(6, [8], 4, [5, 5], trainableCodes: true);
        using (NewDisposeScope())
        {
            model.MoveTo(META);
        }

        Assert.Equal(DeviceType.META, model.Device.type);
        Assert.All(model.Codebooks.Codes, codes => Assert.Equal(DeviceType.META, codes.device.type));
        Assert.All(model.Codebooks.Prices, prices => Assert.Equal(DeviceType.META, prices.device.type));
        ModuleFields.AreAllOnMeta(model);
    }
}
