using Recsys.Faiss;
using Recsys.Quantizer.Models;
using Recsys.Torch.Kernels;

namespace Recsys.Quantizer.Training;

/// <summary>
/// Fits codebooks level by level: FAISS k-means, then rounds of balanced k-means. On several ranks the first runs FAISS for all;
/// in the rounds each takes its share of the vectors, and counts and sums are added up.
/// </summary>
internal static class KMeansTrainer
{
    // Sinkhorn's iterations per round; prices carry over, so few are enough.
    private const int PriceIterations = 10;

    // k-means++ draws one seed after the other, each by a pass over all rows: beyond so many codes that takes hours.
    private const int MaxPlusPlus = 4096;

    /// <summary>Sets the codes and prices of every level.</summary>
    /// <param name="x">[n, dim] on the device of <paramref name="codebooks"/>.</param>
    /// <param name="levelDone">Called after each level.</param>
    public static void Fit(
        VectorCodebooks codebooks, Tensor x, QuantizerOptions options, long seed, Action<int>? levelDone, Ranks ranks,
        CancellationToken cancel)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var rest = x.detach();
        for (int level = 0; level < codebooks.Sizes.Count; level++)
        {
            cancel.ThrowIfCancellationRequested();
            var input = codebooks.Input(rest, level);
            FitLevel(codebooks, level, input, options, seed + level, ranks, cancel);
            rest = codebooks.Left(rest, codebooks.Vectors(codebooks.Nearest(input, level), level));
            levelDone?.Invoke(level);
        }
    }

    private static void FitLevel(
        VectorCodebooks codebooks, int level, Tensor input, QuantizerOptions options, long seed, Ranks ranks, CancellationToken cancel)
    {
        using var scope = NewDisposeScope();
        int size = codebooks.Sizes[level];
        var plan = BlockPlan.For(input.shape[0], size);
        var sample = Sample(input, plan, seed);
        if (ranks.First)
        {
            using var dense = sample.cpu().contiguous();
            var result = KMeans.Train(Tensors.Values<float>(dense), codebooks.Widths[level], size, new KMeansOptions
            {
                Iterations = options.KMeansIterations,
                Restarts = options.KMeansRestarts,
                Seed = Seeds.ToInt32(seed) & int.MaxValue,
                Seeding = size <= MaxPlusPlus ? KMeansSeeding.PlusPlus : KMeansSeeding.Random,
                Nearest = NearestCodes.Here ? NearestCodes.Of : null,
            });
            codebooks.Codes[level].copy_(tensor(result.Centroids, [size, codebooks.Widths[level]]));
        }

        ranks.Broadcast(codebooks.Codes[level]);
        codebooks.Prices[level].zero_();
        if (options.BalanceStrength > 0)
        {
            BalanceLevel(codebooks, level, sample, plan, options, ranks, cancel);
        }
        else if (options.BalanceRounds > 0)
        {
            FitFromBalance(codebooks, level, sample, plan, options, ranks, cancel);
        }

        CodeRevival.Spread(codebooks, level, sample);
    }

    // Lloyd's iteration in which the assignment also pays the prices. Ends with prices that fit the final codes.
    private static void BalanceLevel(
        VectorCodebooks codebooks, int level, Tensor sample, BlockPlan plan, QuantizerOptions options, Ranks ranks,
        CancellationToken cancel)
    {
        var prices = zeros_like(codebooks.Prices[level]);
        for (int round = 0; round <= options.BalanceRounds; round++)
        {
            cancel.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            long from = round * plan.PricedRows % (sample.shape[0] - plan.PricedRows + 1); // the sample is shuffled where it is larger
            var priced = ranks.Share(sample.narrow(0, from, plan.PricedRows));
            if (!CodePrices.Improve(codebooks, level, priced, prices, options.BalanceTemperature, PriceIterations, plan.Candidates, ranks))
            {
                return; // every vector is a code
            }

            codebooks.Prices[level].copy_(prices * options.BalanceStrength);
            if (round < options.BalanceRounds)
            {
                var mine = ranks.Share(sample);
                MoveToMeans(codebooks, level, mine, codebooks.Nearest(mine, level), ranks);
            }
        }
    }

    // Lloyd once more, from codes that are equally popular, kept where the error is lower: from far-apart seeds most of the deeper
    // residuals, which gather near zero, may stay on one code.
    private static void FitFromBalance(
        VectorCodebooks codebooks, int level, Tensor sample, BlockPlan plan, QuantizerOptions options, Ranks ranks,
        CancellationToken cancel)
    {
        var mine = ranks.Share(sample);
        double Error()
        {
            using var scope = NewDisposeScope();
            return ranks.Sum((mine - codebooks.Vectors(codebooks.Nearest(mine, level), level)).pow(2).sum().ToDouble());
        }

        var plain = codebooks.Codes[level].clone();
        double error = Error();
        BalanceLevel(codebooks, level, sample, plan, options with { BalanceStrength = 1 }, ranks, cancel);
        codebooks.Prices[level].zero_();
        for (int i = 0; i < options.KMeansIterations; i++)
        {
            cancel.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            MoveToMeans(codebooks, level, mine, codebooks.Nearest(mine, level), ranks);
        }

        if (Error() > error)
        {
            codebooks.Codes[level].copy_(plain);
        }
    }

    /// <summary>Moves each code to the mean of the inputs that chose it. A code that nobody chose stays where it is: its price falls
    /// until somebody does.</summary>
    /// <param name="sample">[n, width] of this rank.</param>
    /// <param name="assignment">[n] int64</param>
    public static void MoveToMeans(VectorCodebooks codebooks, int level, Tensor sample, Tensor assignment, Ranks ranks)
    {
        var chosen = bincount(assignment, minlength: codebooks.Sizes[level]).to_type(ScalarType.Float32);
        var counts = ranks.Sum(chosen).unsqueeze(1); // [size, 1]
        var sums = ranks.Sum(zeros_like(codebooks.Codes[level]).index_add(0, assignment, sample, 1));
        codebooks.Codes[level].copy_(where(counts > 0, sums / counts.clamp_min(1), codebooks.Codes[level]));
    }

    // In the order of the rows while one round of balancing sees them all; shuffled where it sees a part, and where some are left out.
    private static Tensor Sample(Tensor x, BlockPlan plan, long seed)
    {
        if (x.shape[0] <= plan.PricedRows)
        {
            return x;
        }

        var rows = Enumerable.Range(0, (int)x.shape[0]).Select(i => (long)i).ToArray();
        new Random(Seeds.ToInt32(seed)).Shuffle(rows);
        return x.index_select(0, tensor(rows[..(int)plan.TrainingRows]).to(x.device));
    }
}
