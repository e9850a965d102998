namespace Recsys.Quantizer.Training;

/// <summary>
/// Prices that make a level's codes equally popular: the dual of entropic optimal transport between residuals and codes, by
/// Sinkhorn's iteration (Cuturi 2013; for codebooks: Asano et al. 2020). OneRec balances its clusters for the same reason: plain
/// k-means puts most of the deeper residuals, which gather near zero, on a few codes.
/// </summary>
internal static class Balance
{
    /// <summary>Improves prices in place.</summary>
    /// <param name="distances">[n, size] squared distances of this rank's rows; each row may be short of a constant.</param>
    /// <param name="prices">[size]</param>
    /// <param name="temperature">Entropy weight: the smaller, the nearer to a hard balance and the slower.</param>
    /// <param name="ranks">Who has the other rows; null: there are none.</param>
    public static void Improve(Tensor distances, Tensor prices, double temperature, int iterations, Ranks? ranks = null)
    {
        ranks ??= Ranks.Alone;
        double perCode = ranks.Sum((double)distances.shape[0]) / distances.shape[1];
        for (int i = 0; i < iterations; i++)
        {
            using var scope = NewDisposeScope();
            var chosen = ranks.Sum(softmax((distances + prices.unsqueeze(0)) * (-1 / temperature), 1).sum(dim: 0)); // [size]
            var share = chosen / perCode; // 1 when even
            prices.add_(share.clamp_min(1e-3).log() * temperature);
        }
    }
}
