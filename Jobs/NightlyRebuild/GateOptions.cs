namespace Recsys.Jobs.NightlyRebuild;

/// <summary>What a new version must hold before it may become the active one.</summary>
public sealed record GateOptions
{
    /// <summary>Least share of the catalogue's items that decode back from their own semantic ID.</summary>
    public double MinCoverage { get; init; } = 1;

    /// <summary>Most items that share one tuple of codes (and differ by collision token only).</summary>
    public int MaxCollisionGroup { get; init; } = 256;

    /// <summary>Largest share of items whose codes are not theirs alone.</summary>
    public double MaxCollisionShare { get; init; } = 0.6;

    /// <summary>Least validation Recall@10, an absolute bound.</summary>
    public double MinRecall { get; init; }

    /// <summary>Least validation Recall@10 as a share of the active version's, where it is of the same dataset.</summary>
    public double MinRecallRatio { get; init; } = 0.9;

    /// <summary>Users whose validation target is asked for; the first of a seeded shuffle.</summary>
    public int Users { get; init; } = 2000;

    internal IEnumerable<string> Faults()
    {
        if (MinCoverage is < 0 or > 1) yield return $"gates.min_coverage is {MinCoverage}, allowed is 0 to 1";
        if (MaxCollisionGroup is < 1 or > 65_536) yield return $"gates.max_collision_group is {MaxCollisionGroup}, allowed is 1 to 65536";
        if (MaxCollisionShare is < 0 or > 1) yield return $"gates.max_collision_share is {MaxCollisionShare}, allowed is 0 to 1";
        if (MinRecall is < 0 or > 1) yield return $"gates.min_recall is {MinRecall}, allowed is 0 to 1";
        if (MinRecallRatio is < 0 or > 1) yield return $"gates.min_recall_ratio is {MinRecallRatio}, allowed is 0 to 1";
        if (Users < 1) yield return $"gates.users is {Users}, allowed is 1 and more";
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
