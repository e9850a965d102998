using Recsys.Faiss;
using Recsys.Quantizer.Models;

namespace Recsys.Quantizer.Training;

/// <summary>
/// Fits residual codebooks level by level: FAISS k-means, then rounds of balanced k-means. On several ranks the first runs FAISS for all;
/// in the rounds each takes its share of the vectors, and counts and sums are added up.
/// </summary>
internal static class ResidualKMeansTrainer
{
    // Sinkhorn's iterations per round; prices carry over, so few are enough.
    private const int PriceIterations = 10;

    // Entries of a distance matrix that is held at once.
    private const long MostDistances = 1L << 25;

    /// <summary>Sets the codes and prices of every level.</summary>
    /// <param name="x">[n, dim] on the device of <paramref name="codebooks"/>.</param>
    /// <param name="levelDone">Called after each level.</param>
    public static void Fit(
        ResidualCodebooks codebooks, Tensor x, QuantizerOptions options, long seed, Action<int>? levelDone, Ranks ranks,
        CancellationToken cancel)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var residual = x.detach();
        for (int level = 0; level < codebooks.Sizes.Count; level++)
        {
            cancel.ThrowIfCancellationRequested();
            FitLevel(codebooks, level, residual, options, seed + level, ranks, cancel);
            residual = residual - codebooks.Codes[level].index_select(0, NearestInBlocks(codebooks, residual, level));
            levelDone?.Invoke(level);
        }
    }

    private static void FitLevel(
        ResidualCodebooks codebooks, int level, Tensor residual, QuantizerOptions options, long seed, Ranks ranks, CancellationToken cancel)
    {
        using var scope = NewDisposeScope();
        int size = codebooks.Sizes[level];
        var sample = Sample(residual, Math.Max(size, MostDistances / size), seed);
        if (ranks.First)
        {
            using var values = sample.cpu().contiguous().data<float>();
            var result = KMeans.Train(values.ToArray(), codebooks.Dim, size, new KMeansOptions
            {
                Iterations = options.KMeansIterations,
                Restarts = options.KMeansRestarts,
                Seed = (int)(seed & int.MaxValue),
            });
            codebooks.Codes[level].copy_(tensor(result.Centroids, [size, codebooks.Dim]));
        }

        ranks.Broadcast(codebooks.Codes[level]);
        codebooks.Prices[level].zero_();
        if (options.BalanceStrength > 0)
        {
            BalanceLevel(codebooks, level, ranks.Share(sample), sample.shape[0], options, ranks, cancel);
        }
    }

    // Lloyd's iteration in which the assignment also pays the prices. Ends with prices that fit the final codes.
    private static void BalanceLevel(
        ResidualCodebooks codebooks, int level, Tensor sample, long all, QuantizerOptions options, Ranks ranks, CancellationToken cancel)
    {
        var prices = zeros_like(codebooks.Prices[level]);
        for (int round = 0; round <= options.BalanceRounds; round++)
        {
            cancel.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var distances = codebooks.Distances(sample, level); // [n, size]
            double error = ranks.Sum((distances.amin(1) + sample.pow(2).sum(1)).sum().ToDouble()) / all;
            if (error <= 1e-12)
            {
                return; // every vector is a code: there is nothing to spread
            }

            Balance.Improve(distances, prices, options.BalanceTemperature * error, PriceIterations, ranks);
            codebooks.Prices[level].copy_(prices * options.BalanceStrength);
            if (round < options.BalanceRounds)
            {
                MoveToMeans(codebooks, level, sample, (distances + codebooks.Prices[level].unsqueeze(0)).argmin(1), ranks);
            }
        }
    }

    // A code that nobody chose stays where it is: its price falls until somebody does.
    private static void MoveToMeans(ResidualCodebooks codebooks, int level, Tensor sample, Tensor assignment, Ranks ranks)
    {
        var chosen = bincount(assignment, minlength: codebooks.Sizes[level]).to_type(ScalarType.Float32);
        var counts = ranks.Sum(chosen).unsqueeze(1); // [size, 1]
        var sums = ranks.Sum(zeros_like(codebooks.Codes[level]).index_add(0, assignment, sample, 1));
        codebooks.Codes[level].copy_(where(counts > 0, sums / counts.clamp_min(1), codebooks.Codes[level]));
    }

    private static Tensor NearestInBlocks(ResidualCodebooks codebooks, Tensor residual, int level)
    {
        long rows = Math.Max(1, MostDistances / codebooks.Sizes[level]);
        var parts = new List<Tensor>();
        for (long from = 0; from < residual.shape[0]; from += rows)
        {
            using var scope = NewDisposeScope();
            var block = residual.narrow(0, from, Math.Min(rows, residual.shape[0] - from));
            parts.Add(codebooks.Nearest(block, level).MoveToOuterDisposeScope());
        }

        return cat(parts, 0);
    }

    private static Tensor Sample(Tensor x, long most, long seed)
    {
        if (x.shape[0] <= most)
        {
            return x;
        }

        var rows = Enumerable.Range(0, (int)x.shape[0]).Select(i => (long)i).ToArray();
        new Random((int)(seed & int.MaxValue)).Shuffle(rows);
        return x.index_select(0, tensor(rows[..(int)most]).to(x.device));
    }
}
