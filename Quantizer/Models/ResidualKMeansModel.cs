namespace Recsys.Quantizer.Models;

/// <summary>Residual codebooks directly on the fused vectors.</summary>
public sealed class ResidualKMeansModel(ResidualCodebooks codebooks) : IQuantizerModel
{
    public ResidualCodebooks Codebooks { get; } = codebooks;

    public int InputDim => Codebooks.Dim;

    public IReadOnlyList<int> Sizes => Codebooks.Sizes;

    public ushort[] Encode(ReadOnlySpan<float> x, int n)
        => Array.ConvertAll(BatchedInference.Run<float, long>(x, n, Sizes.Count, Codebooks.Encode), code => (ushort)code);

    public float[] Reconstruct(ReadOnlySpan<ushort> codes, int n)
        => BatchedInference.Run<long, float>(CodeArrays.Widen(codes), n, InputDim, Codebooks.Decode);

    public void Dispose() => Codebooks.Dispose();
}
