using Recsys.Faiss.Native;

namespace Recsys.Faiss;

/// <summary>Exact search: every query is compared with every vector.</summary>
public sealed class FlatIndex : VectorIndex
{
    public FlatIndex(int dim, Metric metric)
        : base(New(IndexKind.Flat, dim, metric))
    {
    }

    internal FlatIndex(IndexHandle handle)
        : base(handle)
    {
    }
}
