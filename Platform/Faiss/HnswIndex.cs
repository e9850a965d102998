using Recsys.Faiss.Native;

namespace Recsys.Faiss;

/// <summary>
/// A navigable small-world graph (Malkov, Yashunin 2018) over the vectors themselves: fast, approximate, no training. What is removed is
/// gone from memory and file at once; its neighbours are linked to each other instead (after FreshDiskANN, Singh et al. 2021). A
/// removal reads the whole graph, so remove in batches; what loses more than half is built anew, on one thread.
/// </summary>
public sealed class HnswIndex : VectorIndex
{
    /// <summary>Most links of a vector, and most candidates of a search or of building.</summary>
    public const int MostLinks = 512, MostCandidates = 1 << 16;

    /// <param name="links">Links of a vector on each level above the lowest, which has twice as many; 2 to <see cref="MostLinks"/>.</param>
    /// <param name="buildCandidates">Candidates looked at for the links of a new vector (efConstruction).</param>
    /// <exception cref="FaissException">A number out of its range.</exception>
    public HnswIndex(int dim, int links = 32, int buildCandidates = 40, Metric metric = Metric.L2)
        : base(New(Specify(dim, links, buildCandidates, metric), "HNSW"))
    {
    }

    internal HnswIndex(IndexHandle handle)
        : base(handle)
    {
    }

    public int Links => (int)Info.Parts;

    public int BuildCandidates => (int)Info.BuildCandidates;

    /// <summary>Candidates that a search keeps (efSearch, 16 at first); k where that is more.</summary>
    /// <exception cref="FaissException">Outside 1 to <see cref="MostCandidates"/>.</exception>
    public int SearchCandidates
    {
        get => (int)Info.SearchCandidates;
        set => Set(IndexParameter.SearchCandidates, value, MostCandidates, "search candidates");
    }

    /// <summary>
    /// Builds on all cores. The graph then depends on how the threads meet, so that two runs may differ in a few answers; on one core,
    /// the default, the same vectors give the same bytes.
    /// </summary>
    public bool ParallelBuild { get; set; }

    public override string Description => $"HNSW{Links}";

    private protected override bool AddsInOrder => !ParallelBuild;

    private static IndexSpec Specify(int dim, int links, int buildCandidates, Metric metric)
    {
        Require(links is >= 2 and <= MostLinks, $"HNSW: {links} links; 2 to {MostLinks} are possible");
        Require(buildCandidates is >= 1 and <= MostCandidates, $"HNSW: {buildCandidates} build candidates; 1 to {MostCandidates:N0} are possible");
        return new IndexSpec { Kind = IndexKind.Hnsw, Dim = dim, InnerProduct = Code(metric), Parts = links, BuildCandidates = buildCandidates };
    }
}
