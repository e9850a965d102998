using System.Runtime.InteropServices;

namespace Recsys.Faiss.Native;

/// <summary>Kept in step with recsys_faiss::Kind.</summary>
internal enum IndexKind : long
{
    Flat,
    Product,
    Residual,
    IvfFlat,
    IvfProduct,
    Hnsw,
}

/// <summary>What rs_faiss_index_set sets.</summary>
internal enum IndexParameter
{
    Probes,
    SearchCandidates,
    Beam,
}

[StructLayout(LayoutKind.Sequential)]
internal struct NativeKMeansOptions
{
    public long Dim;
    public long K;
    public long Iterations;
    public long Redo;
    public long Seed;
    public long MinPointsPerCentroid;
    public long MaxPointsPerCentroid;
    public int Spherical;
    public int PlusPlus;
}

/// <summary>RecsysIndexSpec: what an index is made from. Parts: sub-quantizers, levels or links, by kind.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct IndexSpec
{
    public IndexKind Kind;
    public long Dim;
    public long InnerProduct;
    public long Lists;
    public long Parts;
    public long Bits;
    public long Beam;
    public long BuildCandidates;
}

/// <summary>RecsysIndexInfo: what an index says of itself.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct IndexInfo
{
    public IndexKind Kind;
    public long Dim;
    public long InnerProduct;
    public long Count;
    public long Trained;
    public long OwnIds;
    public long Lists;
    public long Probes;
    public long Parts;
    public long Bits;
    public long Beam;
    public long BuildCandidates;
    public long SearchCandidates;
    public long CodeBytes;
    public long Bytes;
}
