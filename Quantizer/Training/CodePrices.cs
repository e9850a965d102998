using Recsys.Quantizer.Models;

namespace Recsys.Quantizer.Training;

/// <summary>
/// Prices that make a level's codes equally popular: the dual of entropic optimal transport between residuals and codes, by
/// Sinkhorn's iteration (Cuturi 2013; for codebooks: Asano et al. 2020). OneRec balances its clusters for the same reason: plain
/// k-means puts most of the deeper residuals, which gather near zero, on a few codes. In a large codebook only the nearest codes
/// compete for a row, as the others' shares are next to nothing.
/// </summary>
internal static class CodePrices
{
    /// <summary>Improves prices in place.</summary>
    /// <param name="rows">[n, dim] residuals of this rank; their distances are computed in blocks.</param>
    /// <param name="prices">[size]</param>
    /// <param name="temperature">Entropy weight as a share of the mean squared error: the smaller, the nearer to a hard balance and the
    /// slower.</param>
    /// <param name="candidates">Codes that compete for a row, the nearest at the prices as they are.</param>
    /// <param name="ranks">Who has the other rows; null: there are none.</param>
    /// <returns>False where every row is a code: there is nothing to spread.</returns>
    public static bool Improve(
        VectorCodebooks codebooks, int level, Tensor rows, Tensor prices, double temperature, int iterations, int candidates,
        Ranks? ranks = null)
    {
        using var scope = NewDisposeScope();
        ranks ??= Ranks.Alone;
        int size = codebooks.Sizes[level];
        double all = ranks.Sum((double)rows.shape[0]);
        var blocks = new List<Block>();
        double error = 0;
        for (long from = 0, step = Math.Max(1, BlockPlan.BlockEntries / size); from < rows.shape[0]; from += step)
        {
            var block = rows.narrow(0, from, Math.Min(step, rows.shape[0] - from));
            var (distances, squares) = Block.Of(codebooks, level, block, prices, candidates);
            blocks.Add(distances);
            error += squares;
        }

        error = ranks.Sum(error) / all;
        if (error <= 1e-12)
        {
            return false;
        }

        double perCode = all / size, softness = temperature * error;
        using var listed = zeros_like(prices);
        foreach (var block in blocks)
        {
            block.AddTo(listed, ones_like(block.Distances));
        }

        ranks.Sum(listed);

        for (int i = 0; i < iterations; i++)
        {
            using var iteration = NewDisposeScope();
            var share = zeros_like(prices); // [size], 1 when even
            foreach (var block in blocks)
            {
                using var _ = NewDisposeScope();
                block.AddTo(share, softmax((block.Distances + block.PricesOf(prices)).mul_(-1 / softness), 1));
            }

            var change = (ranks.Sum(share) / perCode).clamp_min(1e-3).log() * softness;
            // A code that is nobody's candidate gets cheaper once a round: within it, nobody could answer to its price.
            prices.add_(i == 0 ? change : change * (listed > 0));
        }

        return true;
    }

    /// <param name="Distances">[rows, candidates] squared distances; each row may be short of a constant.</param>
    /// <param name="Codes">[rows, candidates] int32 which codes they are; null: all, in order.</param>
    private sealed record Block(Tensor Distances, Tensor? Codes)
    {
        /// <returns>The block, and the sum of the squared distances to the nearest codes.</returns>
        public static (Block Block, double Error) Of(VectorCodebooks codebooks, int level, Tensor rows, Tensor prices, int candidates)
        {
            using var scope = NewDisposeScope();
            var distances = codebooks.Distances(rows, level); // [rows, size]
            double error = (distances.amin(1) + rows.pow(2).sum(1)).sum().ToDouble();
            if (candidates >= codebooks.Sizes[level])
            {
                return (new Block(distances.MoveToOuterDisposeScope(), null), error);
            }

            var codes = (distances + prices.unsqueeze(0)).topk(candidates, 1, largest: false, sorted: false).indexes;
            var nearest = distances.gather(1, codes).MoveToOuterDisposeScope();
            return (new Block(nearest, codes.to(ScalarType.Int32).MoveToOuterDisposeScope()), error);
        }

        public Tensor PricesOf(Tensor prices) =>
            Codes is null ? prices.unsqueeze(0) : prices.index_select(0, Codes.flatten()).view(Codes.shape);

        public void AddTo(Tensor sum, Tensor shares)
        {
            using var scope = NewDisposeScope();
            _ = Codes is null ? sum.add_(shares.sum(dim: 0)) : sum.index_add_(0, Codes.flatten().to(ScalarType.Int64), shares.flatten(), 1);
        }
    }
}
