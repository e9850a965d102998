using Recsys.Faiss.Native;

namespace Recsys.Faiss;

/// <summary>Exact nearest-neighbour search over all added vectors.</summary>
public sealed class FlatIndex : VectorIndex
{
    /// <summary>Makes an empty index of vectors [dim].</summary>
    /// <exception cref="FaissException">A dimension out of its range.</exception>
    public FlatIndex(int dim, Metric metric = Metric.L2)
        : base(New(new IndexSpec { Kind = IndexKind.Flat, Dim = dim, InnerProduct = Code(metric) }, "flat index"))
    {
    }

    internal FlatIndex(IndexHandle handle)
        : base(handle)
    {
    }

    public override string Description => "Flat";
}
