using Recsys.Catalog.Attributes;

namespace Recsys.Catalog.Ports;

/// <summary>Ranks the next items of a history. Implemented by Retrieval, used by Creative to draw what a user would like.</summary>
public interface IRecommender
{
    /// <summary>At most <see cref="RecommendQuery.K"/> distinct existing items, best first; ties by item index.</summary>
    /// <exception cref="CatalogException">A value of the query is out of its range.</exception>
    IReadOnlyList<Recommendation> Recommend(RecommendQuery query, CancellationToken cancel);

    /// <summary>Several queries at once; each answer is the one that the query would have alone.</summary>
    /// <returns>[queries]</returns>
    /// <exception cref="CatalogException">A value of a query is out of its range; nothing is decoded.</exception>
    IReadOnlyList<Recommendation>[] RecommendBatch(IReadOnlyList<RecommendQuery> queries, CancellationToken cancel);

    /// <summary>
    /// The items with most interactions in the training part among those that the query allows: an answer without a history, which is not
    /// read. The score is the natural logarithm of the item's share of them, −inf where it has none.
    /// </summary>
    /// <exception cref="CatalogException">A value of the query is out of its range.</exception>
    IReadOnlyList<Recommendation> Popular(RecommendQuery query);

    /// <summary>What the model says of given items, and how it comes to that. Lists, filters and caps of the query are not read.</summary>
    /// <param name="items">Item indexes, distinct; at most <see cref="RecommendQuery.MaxK"/>.</param>
    /// <returns>[items]</returns>
    /// <exception cref="CatalogException">A value of the query, or an item, is out of its range.</exception>
    IReadOnlyList<ItemExplanation> Explain(RecommendQuery query, IReadOnlyList<int> items, CancellationToken cancel);

    /// <summary>At most <see cref="RecommendQuery.K"/> items, those most like the only one of the query's history first, without it; ties
    /// by item index.</summary>
    /// <returns>Items with how like they are, see <see cref="Likeness"/>.</returns>
    /// <exception cref="CatalogException">
    /// A value of the query is out of its range. FailedPrecondition: the model, or the item, lacks what is to be compared.
    /// </exception>
    IReadOnlyList<(int Item, double Score)> Similar(RecommendQuery query, Likeness by);
}

/// <summary>In what two items are alike.</summary>
public enum Likeness
{
    /// <summary>In the first codes of their semantic IDs: the score is how many. Of as many, the likest by content come first.</summary>
    Codes,

    /// <summary>In their embeddings, as the content leg reads them: the score is the cosine.</summary>
    Content,

    /// <summary>In that one follows the other: the score is the evidence of the transitions leg.</summary>
    Transitions,
}

/// <param name="History">Item indexes, oldest first; not empty. The model reads the most recent ones that fit.</param>
/// <param name="K">1 to <see cref="MaxK"/>.</param>
/// <param name="Beam">0: chosen by the model; else K to <see cref="MaxK"/>.</param>
/// <param name="ExcludeSeen">Leaves the history's own items out.</param>
/// <param name="User">Whose history it is, for models that know users; null: unknown.</param>
public sealed record RecommendQuery(
    IReadOnlyList<int> History, int K, int Beam = 0, bool ExcludeSeen = false, string? User = null)
{
    /// <summary>Largest K and widest beam.</summary>
    public const int MaxK = 1000;

    /// <summary>[history] how much each of its items counts, above 0; null: all alike.</summary>
    public IReadOnlyList<double>? Weights { get; init; }

    /// <summary>Items that the user touched too, and that nothing reads: seen all the same.</summary>
    public IReadOnlyList<int> Unread { get; init; } = [];

    /// <summary>Item indexes that are left out, seen or not.</summary>
    public IReadOnlyList<int> Exclude { get; init; } = [];

    /// <summary>Item indexes of which alone the answer is chosen; null: all.</summary>
    public IReadOnlyList<int>? Candidates { get; init; }

    /// <summary>What must hold of every answer; null: nothing.</summary>
    public ItemFilter? Filter { get; init; }

    /// <summary>What raises or lowers an item's score.</summary>
    public IReadOnlyList<Boost> Boosts { get; init; } = [];

    /// <summary>How many answers may be alike.</summary>
    public IReadOnlyList<Cap> Caps { get; init; } = [];

    /// <summary>Draws the answers by lot; null: the best are answered.</summary>
    public Sampling? Sampling { get; init; }

    /// <summary>The part of the history that a model reads: where items weigh, those of the largest weights, of equal ones the later, in
    /// their order; else all, of which it takes the most recent.</summary>
    /// <param name="most">Items that it reads.</param>
    public (IReadOnlyList<int> Items, IReadOnlyList<double>? Weights) Read(int most)
    {
        if (Weights is null)
        {
            return (History, null);
        }

        int[] places = [.. Enumerable.Range(0, History.Count).OrderByDescending(at => Weights[at]).ThenByDescending(at => at)
            .Take(most).Order()];
        return (Array.ConvertAll(places, at => History[at]), Array.ConvertAll(places, at => Weights[at]));
    }

    /// <exception cref="CatalogException">InvalidArgument: out of range.</exception>
    public static void Check(int k, int beam)
    {
        if (k is < 1 or > MaxK)
        {
            throw CatalogException.InvalidField("k", $"k is {k}; it must be 1 to {MaxK}.");
        }

        if (beam != 0 && (beam < k || beam > MaxK))
        {
            throw CatalogException.InvalidField(
                "beam", $"The beam is {beam}; it must be k ({k}) to {MaxK}, or 0 to leave it to the server.");
        }
    }
}

/// <summary>
/// Answers drawn without replacement, each with a chance in proportion to its probability to the power of 1 / temperature. The same seed
/// draws the same of the same candidates.
/// </summary>
/// <param name="Temperature">Above 0 to <see cref="MaxTemperature"/>: the smaller, the closer to the best.</param>
public sealed record Sampling(long Seed, double Temperature)
{
    public const double MaxTemperature = 100;

    /// <summary>What is added to the logarithm of an item's chance: then the largest are the drawn ones (Gumbel's trick, Kool et al. 2019).
    /// </summary>
    public double Noise(string itemId)
    {
        Span<byte> hash = stackalloc byte[32];
        System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes($"{Seed} {itemId}"), hash);
        double uniform = ((BitConverter.ToUInt64(hash) >> 11) + 0.5) / (1UL << 53);
        return -Math.Log(-Math.Log(uniform));
    }
}

/// <summary>Adds to the score of each item of which a condition holds.</summary>
public sealed record Boost(Condition Condition, double Add);

/// <summary>At most so many answers with one and the same text of an attribute; those without one are not counted.</summary>
public sealed record Cap(string Attribute, int Most);

/// <param name="Item">Item index in the snapshot's table.</param>
/// <param name="Score">What the answer is sorted by: the sum of weight · value over <paramref name="Parts"/>. It ranks within one
/// version.</param>
/// <param name="Probability">That the item is the next one, calibrated on the version's held-out targets; in a popular answer the item's
/// share of the training interactions.</param>
/// <param name="Parts">What each leg of the model says of the item; empty in a popular answer.</param>
public sealed record Recommendation(int Item, SemanticId Id, double Score, double Probability, IReadOnlyList<ScorePart> Parts)
{
    /// <summary>The item's place, from 1, among all that may be answered as the generative leg alone ranks them, where the search has
    /// proved it; null: it has not, there is no such leg, or the query has
    /// caps.</summary>
    public int? DecoderRank { get; init; }

    /// <summary>Items of the history that this one was seen to follow, most evidence first; at most three.</summary>
    public IReadOnlyList<ScoreReason> Reasons { get; init; } = [];
}

/// <summary>One part of a score.</summary>
/// <param name="Leg">transitions: evidence of counts; id, content, generative: natural logarithm of a probability; repeat: 1 for an item of
/// the history; popularity: ln(1 + training interactions); cold: 1 for an item that training never saw; boost: what the query adds.</param>
public sealed record ScorePart(string Leg, double Weight, double Value);

/// <summary>An item of the history that speaks for an answer.</summary>
/// <param name="Item">Item index.</param>
/// <param name="Part">What it adds to the score.</param>
public sealed record ScoreReason(int Item, double Part);
