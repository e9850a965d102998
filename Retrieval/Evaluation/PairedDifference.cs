namespace Recsys.Retrieval.Evaluation;

/// <summary>Normal intervals of the difference between two rankings.</summary>
public static class PairedDifference
{
    /// <summary>Standard errors to either side of a 95 % interval.</summary>
    public const double Normal95 = 1.96;

    /// <summary>Of the mean of (after − before), user by user: what both miss or both find adds no noise.</summary>
    /// <param name="after">[users]</param>
    /// <param name="before">[users] the same users.</param>
    /// <param name="z">Standard errors to either side: 1.96 for 95 %.</param>
    public static (double Low, double High) Interval(IReadOnlyList<double> after, IReadOnlyList<double> before, double z)
    {
        int n = after.Count;
        double mean = after.Zip(before, (a, b) => a - b).Sum() / n;
        double variance = after.Zip(before, (a, b) => Math.Pow(a - b - mean, 2)).Sum() / Math.Max(1, n - 1);
        double error = Math.Sqrt(Math.Max(variance, 1.0 / n) / n); // at least one user's worth: few pairs that agree prove little
        return (mean - (z * error), mean + (z * error));
    }

    /// <summary>Of the difference of two shares of equally many users that need not be the same.</summary>
    public static (double Low, double High) Unpaired(double after, double before, int users, double z)
    {
        double error = Math.Sqrt(((after * (1 - after)) + (before * (1 - before)) + (1.0 / users)) / users);
        return (after - before - (z * error), after - before + (z * error));
    }
}
