using Recsys.Faiss.Native;

namespace Recsys.Faiss;

/// <summary>Approximate search in a small-world graph over whole vectors (HNSW, Malkov and Yashunin 2016). Needs no training.</summary>
public sealed class HnswIndex : VectorIndex
{
    /// <param name="m">Links of a vector, 2 to 512; twice as many on the lowest layer.</param>
    /// <param name="efConstruction">Candidates looked at while a vector is added.</param>
    public HnswIndex(int dim, Metric metric, int m = 32, int efConstruction = 40)
        : base(Create(dim, metric, m, efConstruction))
    {
    }

    internal HnswIndex(IndexHandle handle)
        : base(handle)
    {
    }

    public int M => (int)Info.Size;

    public int EfConstruction => (int)Info.EfConstruction;

    /// <summary>Candidates looked at while searching: more finds more and takes longer. A search looks at k of them at least.</summary>
    public int EfSearch
    {
        get => (int)Info.Breadth;
        set
        {
            Rows.Range("HNSW: efSearch", value, 1, MaxBreadth, "64 to 512 are usual");
            SetBreadth(value);
        }
    }

    /// <summary>Adds on all threads. The graph then depends on how they meet; by default it does not, and adding uses one thread.</summary>
    public bool ParallelBuild { get; set; }

    private protected override bool AddsOnOneThread => !ParallelBuild;

    private static IndexHandle Create(int dim, Metric metric, int m, int efConstruction)
    {
        Rows.Range("HNSW: M", m, 2, 512, "16 to 64 are usual");
        Rows.Range("HNSW: efConstruction", efConstruction, 1, MaxBreadth, "40 to 500 are usual");
        return New(IndexKind.Hnsw, dim, metric, m, efConstruction);
    }
}
