namespace Recsys.Retrieval;

/// <summary>
/// What the legs say together beyond their weighted sum: that two of them agree, say, or that one is the better guide behind a long
/// history. A perceptron of one hidden layer over each leg's score of a candidate, its rank among the answer's candidates in each leg, its
/// popularity and the length of the history. Fit on validation targets (stacking: Wolpert 1992), and kept where targets that had no part in
/// the fit say so.
/// </summary>
/// <param name="Means">[inputs]</param>
/// <param name="Deviations">[inputs] above 0.</param>
/// <param name="Direct">[inputs] weights past the hidden layer.</param>
/// <param name="Hidden">[units × inputs]</param>
/// <param name="Biases">[units]</param>
/// <param name="Out">[units] of tanh.</param>
/// <param name="Alone">NDCG@10 of the weighted sum on the validation targets.</param>
/// <param name="Joined">The same with a perceptron that had no part of the target's fold.</param>
public sealed record Interplay(
    double[] Means, double[] Deviations, double[] Direct, double[] Hidden, double[] Biases, double[] Out, double Alone, double Joined)
{
    /// <summary>The name that it has among the parts of a score.</summary>
    public const string PartName = "interplay";

    /// <summary>Inputs beyond this many deviations count as this many: the fit has hardly seen any.</summary>
    private const double Farthest = 5;

    /// <summary>How many inputs there are for so many legs.</summary>
    internal static int InputCount(int legs) => (2 * legs) + 2;

    /// <summary>The inputs of an answer's candidates.</summary>
    /// <param name="parts">[candidates] each what the legs say, and the <see cref="LegSum.Facts"/>.</param>
    /// <param name="history">Length of the history.</param>
    /// <returns>[candidates × inputs]</returns>
    internal static double[] Inputs(IReadOnlyList<double[]> parts, int legs, int history)
    {
        int width = InputCount(legs);
        var inputs = new double[parts.Count * width];
        for (int leg = 0; leg < legs; leg++)
        {
            double[] falling = [.. parts.Select(of => of[leg]).OrderDescending()];
            for (int at = 0; at < parts.Count; at++)
            {
                inputs[(at * width) + leg] = parts[at][leg];
                inputs[(at * width) + legs + leg] = -Math.Log(2 + Above(falling, parts[at][leg]));
            }
        }

        for (int at = 0; at < parts.Count; at++)
        {
            inputs[(at * width) + (2 * legs)] = parts[at][legs + 1]; // popularity
            inputs[(at * width) + (2 * legs) + 1] = Math.Log(1 + history);
        }

        return inputs;
    }

    /// <summary>An input in deviations from its mean.</summary>
    internal static double Standard(double value, double mean, double deviation) =>
        Math.Clamp((value - mean) / deviation, -Farthest, Farthest);

    /// <summary>What it adds to the candidates' scores.</summary>
    /// <param name="inputs">[candidates × inputs] of <see cref="Inputs"/>.</param>
    /// <returns>[candidates]</returns>
    internal double[] Of(double[] inputs)
    {
        int width = Means.Length;
        var values = new double[inputs.Length / width];
        var x = new double[width];
        for (int at = 0; at < values.Length; at++)
        {
            for (int i = 0; i < width; i++)
            {
                x[i] = Standard(inputs[(at * width) + i], Means[i], Deviations[i]);
                values[at] += Direct[i] * x[i];
            }

            for (int unit = 0; unit < Out.Length; unit++)
            {
                double sum = Biases[unit];
                for (int i = 0; i < width; i++)
                {
                    sum += Hidden[(unit * width) + i] * x[i];
                }

                values[at] += Out[unit] * Math.Tanh(sum);
            }
        }

        return values;
    }

    /// <summary>Notes every value that is out of its range.</summary>
    internal void Check(Faults faults, int legs)
    {
        int inputs = InputCount(legs), units = Out.Length;
        faults.Check(
            Means.Length == inputs && Deviations.Length == inputs && Direct.Length == inputs && Biases.Length == units
                && Hidden.Length == units * inputs,
            "interplay", $"{Means.Length} inputs, {units} units", $"{inputs} inputs, and arrays that fit together");
        faults.Check(
            Means.Concat(Direct).Concat(Hidden).Concat(Biases).Concat(Out).All(double.IsFinite)
                && Deviations.All(deviation => double.IsFinite(deviation) && deviation > 0),
            "interplay", "a weight", "finite numbers, and deviations above 0");
    }

    /// <summary>How many of the values are above one of them.</summary>
    private static int Above(double[] falling, double value)
    {
        var (low, high) = (0, falling.Length);
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = falling[middle] > value ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}
