namespace Recsys.Quantizer.Models;

/// <summary>The quantizer's models on a device beside the CPU.</summary>
public static class QuantizerDeviceChecks
{
    private const int Rows = 512, Width = 96, Size = 64;

    /// <param name="device">Any; on the CPU itself the differences are 0.</param>
    public static IEnumerable<DeviceCheck> Run(Device device)
    {
        using var generator = new Generator(17);
        using var x = randn(Rows, Width, generator: generator);
        yield return DeviceCheck.Of("RQ-VAE, loss and reconstruction", () => Model(), (model, on) => Outputs(model, x.to(on)), device);
        yield return DeviceCheck.Of("residual codebooks, decode", () => Codebooks(), (codebooks, on) => Decoded(codebooks, on), device);
        yield return DeviceCheck.Of("product codebooks, decode", () => Parts(), (model, on) => model.Decode(EveryCode(on)), device);
        yield return DeviceCheck.Of("FSQ, reconstruction", () => Scalars(false), (model, on) => Rounded(model, x.to(on)), device);
        yield return DeviceCheck.Of("LFQ, reconstruction", () => Scalars(true), (model, on) => Rounded(model, x.to(on)), device);
    }

    private static Tensor Outputs(RqVae model, Tensor x)
    {
        var pass = model.Pass(model.Standardised(x));
        return cat([pass.Reconstruction.flatten(), pass.CodebookLoss, pass.CommitmentLoss]);
    }

    private static Tensor Decoded(ResidualCodebooks codebooks, Device device)
    {
        var codes = EveryCode(device);
        return cat([codebooks.Decode(codes).flatten(), codebooks.Encode(codebooks.Codes[0]).to(ScalarType.Float32).flatten()]);
    }

    private static RqVae Model()
    {
        manual_seed(3);
        var model = new RqVae(Width, [64], 16, [Size, Size, Size], trainableCodes: true);
        Fill(model.Codebooks);
        return model;
    }

    private static ResidualCodebooks Codebooks()
    {
        var codebooks = new ResidualCodebooks([Size, Size, Size], Width, trainable: true);
        Fill(codebooks);
        return codebooks;
    }

    /// <returns>[size, levels]</returns>
    private static Tensor EveryCode(Device device) => arange(Size, ScalarType.Int64, device).unsqueeze(1).expand(-1, 3);

    private static Tensor Rounded(ScalarAutoencoder model, Tensor x) =>
        model.FromLatent(model.Quantised(model.Latent(model.Standardised(x))));

    private static ProductCodebooks Parts()
    {
        var model = new ProductCodebooks([Size, Size, Size], Width, trainable: true);
        Fill(model);
        return model;
    }

    private static ScalarAutoencoder Scalars(bool signs)
    {
        manual_seed(3);
        return new ScalarAutoencoder(
            Width, [64], signs ? ScalarAutoencoder.Bits([Size, Size, Size]) : [[4, 4, 4], [8, 8], [7, 3, 3]], signs);
    }

    private static void Fill(VectorCodebooks codebooks)
    {
        using var _ = no_grad();
        using var generator = new Generator(5);
        for (int level = 0; level < codebooks.Sizes.Count; level++)
        {
            codebooks.Codes[level].normal_(0, 1 / (level + 1.0), generator);
        }
    }
}
