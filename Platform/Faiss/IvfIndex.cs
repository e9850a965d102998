using Recsys.Faiss.Native;

namespace Recsys.Faiss;

/// <summary>
/// An inverted file: vectors lie in the list of their nearest coarse centroid (k-means), and a search looks into the lists of the
/// <see cref="Probes"/> centroids nearest to the query only.
/// </summary>
public abstract class IvfIndex : VectorIndex
{
    /// <summary>Most lists.</summary>
    public const int MostLists = 1 << 20;

    private protected IvfIndex(IndexHandle handle)
        : base(handle)
    {
    }

    public int Lists => (int)Info.Lists;

    /// <summary>Lists that a search looks into, 1 at first; as many as there are lists is exhaustive.</summary>
    /// <exception cref="FaissException">Outside 1 to <see cref="Lists"/>.</exception>
    public int Probes
    {
        get => (int)Info.Probes;
        set => Set(IndexParameter.Probes, value, Lists, "probes");
    }

    private protected static int CheckedLists(int lists)
    {
        Require(lists is >= 1 and <= MostLists, $"inverted file: {lists} lists; 1 to {MostLists:N0} are possible");
        return lists;
    }
}

/// <summary>An inverted file over the vectors themselves.</summary>
public sealed class IvfFlatIndex : IvfIndex
{
    /// <exception cref="FaissException">A number out of its range.</exception>
    public IvfFlatIndex(int dim, int lists, Metric metric = Metric.L2)
        : base(New(new IndexSpec { Kind = IndexKind.IvfFlat, Dim = dim, InnerProduct = Code(metric), Lists = CheckedLists(lists) }, "inverted file"))
    {
    }

    internal IvfFlatIndex(IndexHandle handle)
        : base(handle)
    {
    }

    public override string Description => $"IVF{Lists},Flat";
}

/// <summary>An inverted file over product codes of what the coarse centroid leaves over (IVFADC; Jégou, Douze, Schmid 2011).</summary>
public sealed class IvfPqIndex : IvfIndex
{
    /// <param name="parts">Sub-quantizers; they divide dim.</param>
    /// <param name="bits">Bits of a code, 1 to 8.</param>
    /// <exception cref="FaissException">A number out of its range.</exception>
    public IvfPqIndex(int dim, int lists, int parts, int bits = 8, Metric metric = Metric.L2)
        : base(New(
            ProductQuantizerIndex.Specify(IndexKind.IvfProduct, dim, parts, bits, 8, metric, "inverted file") with { Lists = CheckedLists(lists) },
            "inverted file"))
    {
    }

    internal IvfPqIndex(IndexHandle handle)
        : base(handle)
    {
    }

    public int CodesPerVector => (int)Info.Parts;

    public int Bits => (int)Info.Bits;

    public override string Description => $"IVF{Lists},PQ{CodesPerVector}x{Bits}";
}
