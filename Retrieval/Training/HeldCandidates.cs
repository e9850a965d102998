using Recsys.Retrieval.Evaluation;

namespace Recsys.Retrieval.Training;

/// <summary>A held-out user's candidates.</summary>
/// <param name="Values">[candidates × parts] of their scores.</param>
/// <param name="Parts">Parts of a score.</param>
/// <param name="Target">Place of the target among them, -1: it is none of them.</param>
/// <param name="History">Length of the history.</param>
internal sealed record HeldCandidates(float[] Values, int Parts, int Target, int History)
{
    public const int K = 10;

    public int Count => Values.Length / Parts;

    public static HeldCandidates Of(double[][] parts, int target, int history) => new(
        [.. parts.SelectMany(of => of.Select(value => (float)value))], parts.Length == 0 ? 1 : parts[0].Length, target, history);

    /// <summary>[candidates] their parts.</summary>
    public double[][] Rows() => [.. Values.Chunk(Parts).Select(row => Array.ConvertAll(row, value => (double)value))];

    /// <summary>The same with one more part.</summary>
    /// <param name="values">[candidates]</param>
    public HeldCandidates With(double[] values) => new(
        [.. Values.Chunk(Parts).Zip(values, (row, value) => row.Append((float)value)).SelectMany(row => row)], Parts + 1, Target, History);

    public double[] Sums(double[] weights) => [.. Enumerable.Range(0, Count).Select(at => Sum(at, weights))];

    /// <summary>NDCG@10 of the sum.</summary>
    public double Ndcg(double[] weights)
    {
        if (Target < 0)
        {
            return 0;
        }

        double target = Sum(Target, weights);
        int above = 0;
        for (int at = 0; at < Count && above < K; at++)
        {
            double sum = Sum(at, weights);
            above += sum > target || (sum == target && at < Target) ? 1 : 0;
        }

        return RankingMetrics.Ndcg(above, K);
    }

    private double Sum(int at, double[] weights)
    {
        double sum = 0;
        for (int part = 0; part < Parts; part++)
        {
            sum += weights[part] == 0 ? 0 : weights[part] * Values[(at * Parts) + part];
        }

        return sum;
    }
}
