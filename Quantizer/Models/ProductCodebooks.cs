namespace Recsys.Quantizer.Models;

/// <summary>
/// Product quantization (Jégou et al. 2011): the vector is cut into as many parts as there are levels, and each part has a codebook of
/// its own. The parts' widths differ by one value at most.
/// </summary>
/// <param name="sizes">[levels] codes at each level.</param>
/// <param name="dim">Values of an input vector; at least one a level.</param>
/// <param name="trainable">Whether the codes receive gradients.</param>
public sealed class ProductCodebooks(IReadOnlyList<int> sizes, int dim, bool trainable = false)
    : VectorCodebooks(nameof(ProductCodebooks), sizes, dim, WidthsOf(sizes.Count, dim), trainable)
{
    /// <summary>[levels] where each level's part begins.</summary>
    public int Offset(int level) => (int)((long)InputDim * level / Sizes.Count);

    public override Tensor Input(Tensor rest, int level) => rest.narrow(1, Offset(level), Widths[level]);

    public override Tensor Left(Tensor rest, Tensor vectors) => rest;

    /// <summary>The codes' vectors side by side.</summary>
    public override Tensor Joined(IReadOnlyList<Tensor> vectors) => cat([.. vectors], 1);

    private static int[] WidthsOf(int levels, int dim) => dim >= levels
        ? [.. Enumerable.Range(0, levels).Select(level => (int)(((long)dim * (level + 1) / levels) - ((long)dim * level / levels)))]
        : throw new TorchException($"A vector of {dim} values has no {levels} parts: take fewer levels.");
}
