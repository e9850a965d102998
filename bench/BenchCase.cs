namespace Recsys.Bench;

/// <summary>What one case measured, in one unit; less is better.</summary>
/// <param name="Name">Case.</param>
/// <param name="Unit">Of all numbers.</param>
/// <param name="OursRuns">One number a round.</param>
/// <param name="PeerRuns">Beside ours, round by round; null where the peer is not there.</param>
/// <param name="PeerName">Name and version; null without one.</param>
/// <param name="Floor">What the machine's arithmetic or memory alone would take, as measured in the same run; null where it says
/// nothing.</param>
/// <param name="Goal">Largest ratio that the project is content with.</param>
internal sealed record BenchCase(
    string Name, string Unit, double[] OursRuns, double[]? PeerRuns, string? PeerName, double? Floor, double? Goal)
{
    public double Ours => Median(OursRuns);

    public double? Peer => PeerRuns is null ? null : Median(PeerRuns);

    /// <summary>Median of the rounds' ratios ours / peer; below 1 we are faster.</summary>
    public double? Ratio => Ratios is { } ratios ? Median(ratios) : null;

    /// <summary>Smallest and largest ratio of a round.</summary>
    public double[]? RatioSpread => Ratios is { } ratios ? [ratios.Min(), ratios.Max()] : null;

    /// <summary>Whether the ratio is at most the goal; null without one of them.</summary>
    public bool? Met => Ratio is { } ratio && Goal is { } goal ? ratio <= goal : null;

    public int Runs => OursRuns.Length;

    private double[]? Ratios => PeerRuns is null ? null : [.. OursRuns.Zip(PeerRuns, (ours, peer) => ours / peer)];

    internal static double Median(double[] values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
