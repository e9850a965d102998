namespace Recsys.Catalog.Ports;

/// <summary>Decodes the next items of a history. Implemented by Retrieval, used by Creative to draw what a user would like.</summary>
public interface IRecommender
{
    /// <summary>Weight of <see cref="Recommendation.Generative"/> in a score, in (0, 1]; 1 where the model has no dense head.</summary>
    double Alpha { get; }

    /// <summary>At most <see cref="RecommendQuery.K"/> distinct existing items, best first; ties by item index.</summary>
    /// <exception cref="CatalogException">A value of the query is out of its range.</exception>
    IReadOnlyList<Recommendation> Recommend(RecommendQuery query, CancellationToken cancel);

    /// <summary>
    /// The items with most interactions in the training part, at most <paramref name="k"/>: an answer without a history. The score is
    /// the natural logarithm of the item's share of them.
    /// </summary>
    /// <exception cref="CatalogException"><paramref name="k"/> is out of its range.</exception>
    IReadOnlyList<Recommendation> Popular(int k);
}

/// <param name="History">Item indexes, oldest first; not empty. The model reads the most recent ones that fit.</param>
/// <param name="K">1 to <see cref="MaxK"/>.</param>
/// <param name="Beam">0: chosen by the model; else K to <see cref="MaxK"/>.</param>
/// <param name="ExcludeSeen">Leaves the history's own items out.</param>
public sealed record RecommendQuery(IReadOnlyList<int> History, int K, int Beam = 0, bool ExcludeSeen = false)
{
    /// <summary>Largest K and widest beam.</summary>
    public const int MaxK = 1000;

    /// <exception cref="CatalogException">InvalidArgument: out of range.</exception>
    public static void Check(int k, int beam)
    {
        if (k is < 1 or > MaxK)
        {
            throw CatalogException.Invalid($"k is {k}; it must be 1 to {MaxK}.");
        }

        if (beam != 0 && (beam < k || beam > MaxK))
        {
            throw CatalogException.Invalid($"The beam is {beam}; it must be k ({k}) to {MaxK}, or 0 to leave it to the server.");
        }
    }
}

/// <param name="Item">Item index in the snapshot's table.</param>
/// <param name="Score">
/// What the answer is sorted by: α · <paramref name="Generative"/> + (1 − α) · <paramref name="Dense"/>, without a dense head
/// <paramref name="Generative"/> alone. Not renormalised; with α below 1 no logarithm of a probability.
/// </param>
/// <param name="Generative">Natural log of the decoder's probability of this item's tokens; null in a popular answer.</param>
/// <param name="Dense">Natural log of the dense head's probability among the trained items; null without a dense head, and for
/// an appended item, where <paramref name="Generative"/> stands for both.</param>
public readonly record struct Recommendation(
    int Item, SemanticId Id, double Score, double? Generative = null, double? Dense = null);
