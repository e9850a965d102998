using Recsys.Catalog;

namespace Recsys.Jobs.NightlyRebuild;

/// <summary>What a new version must hold before it may become the active one. Validation targets only; test targets choose
/// nothing.</summary>
public sealed record GateOptions
{
    /// <summary>Share of the catalogue's items that must decode back from their own semantic ID, 0 to 1.</summary>
    public double MinCoverage { get; init; } = 1;

    /// <summary>Items that may share one tuple of codes (and differ by collision token only), 1 to 65,536.</summary>
    public int MaxCollisionGroup { get; init; } = 256;

    /// <summary>Share of items whose codes need not be theirs alone, 0 to 1.</summary>
    public double MaxCollisionShare { get; init; } = 0.6;

    /// <summary>Share of each level's codes that must be in use, 0 to 1: below it the codebook has collapsed.</summary>
    public double MinCodeUsage { get; init; } = 0.5;

    /// <summary>Each level's perplexity as a share of its codes, 0 to 1: 1 when all are equally frequent.</summary>
    public double MinCodePerplexity { get; init; } = 0.2;

    /// <summary>Validation Recall@10 that must be reached whatever else is, 0 to 1.</summary>
    public double MinRecall { get; init; }

    /// <summary>
    /// A multiple of the most popular items' recall that must not be missed for certain, 0 to 100: refused is a version where the upper
    /// end of the 95 % interval of (its hits − this × theirs), over the same users, lies below 0.
    /// </summary>
    public double MinPopularityRatio { get; init; } = 1;

    /// <summary>Share of the active version's recorded recall that must be reached, whatever the interval says, 0 to 1; 0: no such
    /// bound.</summary>
    public double MinRecallRatio { get; init; }

    /// <summary>
    /// Recall@10 that may be lost, as a share of the reference's, 0 to 1. Refused is a version where the upper end of the 95 % interval
    /// of (new − reference), over the same users, lies below minus this share.
    /// </summary>
    public double MaxRecallLoss { get; init; } = 0.02;

    /// <summary>Latest versions of the dataset whose best is a second reference beside the active version, so that small losses do not
    /// add up night after night, 0 to 10,000; 0: the active version alone.</summary>
    public int ReferenceVersions { get; init; } = 100;

    /// <summary>Users whose validation target is asked for, 1 to 100,000,000; the first of a seeded shuffle.</summary>
    public int Users { get; init; } = 2000;

    internal void Check(Faults faults)
    {
        faults.Range("gates.min_coverage", MinCoverage, 0, 1);
        faults.Range("gates.max_collision_group", MaxCollisionGroup, 1, 65_536);
        faults.Range("gates.max_collision_share", MaxCollisionShare, 0, 1);
        faults.Range("gates.min_code_usage", MinCodeUsage, 0, 1);
        faults.Range("gates.min_code_perplexity", MinCodePerplexity, 0, 1);
        faults.Range("gates.min_recall", MinRecall, 0, 1);
        faults.Range("gates.min_popularity_ratio", MinPopularityRatio, 0, 100);
        faults.Range("gates.min_recall_ratio", MinRecallRatio, 0, 1);
        faults.Range("gates.max_recall_loss", MaxRecallLoss, 0, 1);
        faults.Range("gates.reference_versions", ReferenceVersions, 0, 10_000);
        faults.Range("gates.users", Users, 1, 100_000_000);
    }
}

/// <summary>One gate's verdict.</summary>
/// <param name="Bound">What was asked, in words.</param>
public sealed record GateResult(string Name, bool Passed, double Value, string Bound);

/// <summary>Thrown when a gate refuses a version: the active one stays, nothing is published.</summary>
public sealed class GateException(string version, IReadOnlyList<GateResult> gates)
    : Exception($"Version {version} was refused and the active version stays: "
        + string.Join(
            "; ", gates.Where(gate => !gate.Passed).Select(gate => $"{gate.Name} is {gate.Value:G5}, asked is {gate.Bound}")) + ".")
{
    public IReadOnlyList<GateResult> Gates { get; } = gates;
}
