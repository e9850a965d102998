namespace Recsys.Retrieval.Evaluation;

/// <summary>Recall and NDCG for one target a user, as the field computes them (TIGER, section 4; S3-Rec's evaluation code).</summary>
public static class RankingMetrics
{
    /// <summary>1 where the target is among the first k, else 0: recall with one target.</summary>
    /// <param name="rank">Place of the target from 0; -1 where it was not returned.</param>
    public static double Recall(int rank, int k) => rank >= 0 && rank < k ? 1 : 0;

    /// <summary>1 / log2(rank + 2): the ideal ranking has its one target first and scores 1.</summary>
    public static double Ndcg(int rank, int k) => rank >= 0 && rank < k ? 1 / Math.Log2(rank + 2) : 0;
}

/// <summary>One metric over all users.</summary>
/// <param name="Value">Mean over users.</param>
/// <param name="Low">Lower end of the bootstrap 95 % interval.</param>
/// <param name="High">Upper end.</param>
public sealed record Metric(double Value, double Low, double High);

/// <summary>Percentile bootstrap over users (Efron 1979).</summary>
public static class Bootstrap
{
    /// <param name="perUser">[users] the metric of each user.</param>
    /// <param name="resamples">Resampled means.</param>
    public static Metric Interval(IReadOnlyList<double> perUser, long seed, int resamples = 1000)
    {
        if (perUser.Count == 0)
        {
            return new Metric(0, 0, 0);
        }

        // Few distinct values (one a rank): resample the counts of each, not each user.
        var values = perUser.GroupBy(value => value)
            .OrderBy(group => group.Key).Select(group => (Value: group.Key, Count: group.Count())).ToArray();
        var random = new Random(Seeds.ToInt32(seed));
        var means = new double[resamples];
        for (int resample = 0; resample < resamples; resample++)
        {
            double sum = 0;
            int users = perUser.Count;
            int left = perUser.Count;
            foreach (var (value, count) in values) // multinomial as a chain of binomials
            {
                int drawn = left == count ? users : Binomial(users, (double)count / left, random);
                sum += value * drawn;
                (users, left) = (users - drawn, left - count);
            }

            means[resample] = sum / perUser.Count;
        }

        Array.Sort(means);
        return new Metric(perUser.Average(), means[(int)(0.025 * (resamples - 1))], means[(int)Math.Ceiling(0.975 * (resamples - 1))]);
    }

    /// <summary>Successes of n draws at p: counted where few are expected, by the normal approximation where many are.</summary>
    private static int Binomial(int n, double p, Random random)
    {
        if (p > 0.5)
        {
            return n - Binomial(n, 1 - p, random);
        }

        if (n * p > 1000)
        {
            double normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            return Math.Clamp((int)Math.Round((n * p) + (normal * Math.Sqrt(n * p * (1 - p)))), 0, n);
        }

        // Gaps between successes are geometric: the work is one draw a success, not one a trial.
        int successes = 0;
        for (double at = Gap(p, random); at <= n; at += Gap(p, random))
        {
            successes++;
        }

        return successes;
    }

    private static double Gap(double p, Random random) =>
        p <= 0 ? double.PositiveInfinity : Math.Floor(Math.Log(1 - random.NextDouble()) / Math.Log(1 - p)) + 1;
}
