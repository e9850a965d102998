using Recsys.Faiss.Native;

namespace Recsys.Faiss;

/// <summary>
/// Product quantization (Jégou, Douze, Schmid 2011): a vector is cut into parts, and each part replaced by the nearest entry of its own
/// codebook. Searches compare queries with the reconstructions, by tables of the parts' distances.
/// </summary>
public sealed class ProductQuantizerIndex : QuantizerIndex
{
    /// <param name="parts">Sub-quantizers; they divide dim.</param>
    /// <param name="bits">Bits of a code, 1 to 12.</param>
    /// <exception cref="FaissException">A number out of its range.</exception>
    public ProductQuantizerIndex(int dim, int parts, int bits = 8, Metric metric = Metric.L2)
        : base(New(Specify(IndexKind.Product, dim, parts, bits, 12, metric, "product quantizer"), "product quantizer"))
    {
    }

    internal ProductQuantizerIndex(IndexHandle handle)
        : base(handle)
    {
    }

    public override string Description => $"PQ{CodesPerVector}x{Bits}";

    internal static IndexSpec Specify(IndexKind kind, int dim, int parts, int bits, int mostBits, Metric metric, string what)
    {
        Require(parts >= 1 && dim % parts == 0, $"{what}: {parts} parts do not divide dimension {dim}");
        Require(bits >= 1 && bits <= mostBits, $"{what}: {bits} bits a code; 1 to {mostBits} are possible");
        return new IndexSpec { Kind = kind, Dim = dim, InnerProduct = Code(metric), Parts = parts, Bits = bits };
    }
}
