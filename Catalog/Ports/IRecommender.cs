namespace Recsys.Catalog.Ports;

/// <summary>Decodes the next items of a history. Implemented by Retrieval, used by Creative to draw what a user would like.</summary>
public interface IRecommender
{
    /// <summary>At most <see cref="RecommendQuery.K"/> distinct existing items, best first.</summary>
    /// <exception cref="CatalogException">A value of the query is out of its range.</exception>
    IReadOnlyList<Recommendation> Recommend(RecommendQuery query, CancellationToken cancel);
}

/// <param name="History">Item indexes, oldest first; not empty. The model reads the most recent ones that fit.</param>
/// <param name="K">1 to 1,000.</param>
/// <param name="Beam">0: chosen by the model; else K to 1,000.</param>
/// <param name="ExcludeSeen">Leaves the history's own items out.</param>
public sealed record RecommendQuery(IReadOnlyList<int> History, int K, int Beam = 0, bool ExcludeSeen = false);

/// <param name="Item">Item index in the snapshot's table.</param>
/// <param name="LogProbability">Natural log of the model's probability of this item given the history; not renormalised.</param>
public readonly record struct Recommendation(int Item, SemanticId Id, double LogProbability);
