namespace Recsys.Quantizer.Models;

/// <summary>Residual codebooks directly on the fused vectors.</summary>
public sealed class ResidualKMeansModel(ResidualCodebooks codebooks) : IQuantizerModel
{
    public ResidualCodebooks Codebooks { get; } = codebooks;

    public int InputDim => Codebooks.Dim;

    public IReadOnlyList<int> Sizes => Codebooks.Sizes;

    public Device Device => Codebooks.Prices[0].device;

    public void MoveTo(Device device) => Codebooks.MoveTo(device);

    public ushort[] Encode(ReadOnlySpan<float> x, int n)
        => Array.ConvertAll(BatchedInference.Run<float, long>(x, n, Sizes.Count, Device, Codebooks.Encode), code => (ushort)code);

    public float[] Reconstruct(ReadOnlySpan<ushort> codes, int n)
        => BatchedInference.Run<long, float>(CodeArrays.Widen(codes), n, InputDim, Device, Codebooks.Decode);

    public void Dispose() => Codebooks.Dispose();
}
