namespace Recsys.Retrieval.Evaluation;

/// <summary>Answers of like probability.</summary>
/// <param name="Answers">How many.</param>
/// <param name="Predicted">Mean of their probabilities.</param>
/// <param name="Observed">Share of them that were the next item.</param>
/// <param name="Low">Lower end of its 95 % interval (Wilson 1927).</param>
/// <param name="High">Upper end.</param>
public sealed record CalibrationBin(int Answers, double Predicted, double Observed, double Low, double High);

/// <summary>Whether an answer's probability is the share of such answers that come true.</summary>
/// <param name="Bins">From small probabilities to large, about as many answers in each.</param>
/// <param name="Error">Expected calibration error: the mean of |predicted - observed|, each bin by its answers.</param>
/// <param name="Predicted">Hits that the probabilities promise, a list.</param>
/// <param name="Observed">Hits that there are, a list: recall.</param>
public sealed record Calibration(IReadOnlyList<CalibrationBin> Bins, double Error, double Predicted, double Observed)
{
    private const int MaxBins = 10;
    private const double Z = PairedDifference.Normal95;

    /// <param name="probabilities">[lists][answers]</param>
    /// <param name="ranks">[lists] place of the target from 0; -1: not among the answers.</param>
    public static Calibration Of(double[][] probabilities, int[] ranks)
    {
        (double Predicted, bool Hit)[] answers = [.. probabilities.SelectMany(
            (list, at) => list.Select((probability, place) => (Predicted: probability, Hit: place == ranks[at])))
            .OrderBy(answer => answer.Predicted)];
        int bins = Math.Min(MaxBins, answers.Length);
        CalibrationBin[] made = [.. Enumerable.Range(0, bins).Select(bin => Bin(
            answers[(int)((long)answers.Length * bin / bins)..(int)((long)answers.Length * (bin + 1) / bins)]))];
        int lists = Math.Max(1, ranks.Length);
        return new Calibration(
            made, made.Sum(bin => bin.Answers * Math.Abs(bin.Predicted - bin.Observed)) / Math.Max(1, answers.Length),
            answers.Sum(answer => answer.Predicted) / lists, (double)answers.Count(answer => answer.Hit) / lists);
    }

    private static CalibrationBin Bin((double Predicted, bool Hit)[] answers)
    {
        double n = answers.Length, observed = answers.Count(answer => answer.Hit) / n;
        double centre = (observed + (Z * Z / (2 * n))) / (1 + (Z * Z / n));
        double half = Z / (1 + (Z * Z / n)) * Math.Sqrt((observed * (1 - observed) / n) + (Z * Z / (4 * n * n)));
        return new CalibrationBin(answers.Length, answers.Average(answer => answer.Predicted), observed, centre - half, centre + half);
    }
}
