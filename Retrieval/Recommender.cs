using Recsys.Retrieval.Decoding;
using Recsys.Retrieval.Models;

namespace Recsys.Retrieval;

/// <summary>
/// Answers queries from a model and a table of items. Safe to call from many threads at once: a call shares nothing that changes.
/// Items appended to the table after training are found by their codes alone.
/// </summary>
public sealed class Recommender : IRecommender, IVersionPart
{
    /// <summary>Beams decoded at once, over all rows of a batch; bounds the memory of a call.</summary>
    private const int MaxBeams = 4096;

    /// <summary>Dense scores held at once, over all rows of a batch.</summary>
    private const int MaxDenseScores = 1 << 25;

    private readonly RetrievalModel _model;
    private readonly bool _ownsModel;
    private readonly TrieLayers _trie;
    private readonly HybridRanking? _hybrid;

    /// <param name="model">Becomes this recommender's to dispose.</param>
    /// <exception cref="CatalogException">The table's codebook is not the model's, or it lacks items that the model knows.</exception>
    public Recommender(RetrievalModel model, ItemTable items)
        : this(model, items, null, ownsModel: true)
    {
    }

    private Recommender(RetrievalModel model, ItemTable items, TrieLayers? before, bool ownsModel)
    {
        if (!items.CodebookSizes.SequenceEqual(model.Config.CodebookSizes) || items.Count < model.Config.TrainedItems)
        {
            throw CatalogException.Invalid(
                $"The retrieval model is of codebooks [{string.Join(", ", model.Config.CodebookSizes)}] and {model.Config.TrainedItems} "
                + "items; " +
                $"the table has [{string.Join(", ", items.CodebookSizes)}] and {items.Count}. Both must be of one version.");
        }

        (_model, _ownsModel, Items) = (model, ownsModel, items);
        _trie = before?.With(items) ?? new TrieLayers(items, model.Layout.Sizes, model.Device);
        _hybrid = model.Network.HasDenseHead && model.Config.Alpha < 1 ? new HybridRanking(model, _trie) : null;
    }

    /// <summary>A recommender whose model lives on when it is disposed.</summary>
    internal static Recommender Borrowing(RetrievalModel model, ItemTable items) => new(model, items, null, ownsModel: false);

    public ItemTable Items { get; }

    public double Alpha => _hybrid is null ? 1 : _model.Config.Alpha;

    /// <summary>The beam that a query is searched with.</summary>
    public int BeamFor(int k, int beam) => beam > 0 ? beam : Math.Max(k, _model.Config.Options.Beam);

    public IReadOnlyList<Recommendation> Recommend(RecommendQuery query, CancellationToken cancel) => RecommendBatch([query], cancel)[0];

    /// <summary>Several queries at once; each answer is the one that the query would have alone.</summary>
    /// <returns>[queries]</returns>
    /// <exception cref="CatalogException">A query's value is out of its range; nothing is decoded.</exception>
    public IReadOnlyList<Recommendation>[] RecommendBatch(IReadOnlyList<RecommendQuery> queries, CancellationToken cancel)
    {
        foreach (var query in queries)
        {
            Check(query);
        }

        var answers = new IReadOnlyList<Recommendation>[queries.Count];
        foreach (var group in Enumerable.Range(0, queries.Count).GroupBy(i => BeamFor(queries[i].K, queries[i].Beam)))
        {
            foreach (var chunk in group.OrderBy(i => queries[i].History.Count).Chunk(MaxRows(group.Key)))
            {
                cancel.ThrowIfCancellationRequested();
                var found = Decode([.. chunk.Select(i => queries[i])], group.Key);
                for (int i = 0; i < chunk.Length; i++)
                {
                    answers[chunk[i]] = found[i];
                }
            }
        }

        return answers;
    }

    public IReadOnlyList<Recommendation> Popular(int k)
    {
        RecommendQuery.Check(k, 0);
        return [.. _model.Popular.Take(k).Select(item => new Recommendation(item.Item, Items.SemanticIds[item.Item], item.LogShare))];
    }

    public IVersionPart WithItems(ItemTable items) => new Recommender(_model, items, _trie, ownsModel: false);

    public void Dispose()
    {
        _trie.Dispose();
        if (_ownsModel)
        {
            _model.Dispose();
        }
    }

    private static IEnumerable<int>[]? Excluded(RecommendQuery[] queries) => queries.Any(query => query.ExcludeSeen)
        ? [.. queries.Select(query => query.ExcludeSeen ? query.History.AsEnumerable() : [])]
        : null;

    private int MaxRows(int beam) =>
        Math.Max(1, Math.Min(MaxBeams / beam, _hybrid is null ? int.MaxValue : MaxDenseScores / Math.Max(1, Items.Count)));

    /// <summary>Both log-probabilities of every candidate of the hybrid ranking.</summary>
    internal (int Item, double Generative, double Dense)[][] HybridParts(RecommendQuery[] queries)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var (hidden, history) = Read(queries);
        var search = new BeamSearch(_model.Network, _trie);
        int beam = queries.Max(query => BeamFor(query.K, query.Beam));
        var excluded = Excluded(queries);
        return _hybrid!.Parts(search, hidden, history, search.Search(hidden, history, Width(beam), excluded), excluded);
    }

    private Recommendation[][] Decode(RecommendQuery[] queries, int beam)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var (hidden, history) = Read(queries);
        var excluded = Excluded(queries);
        var search = new BeamSearch(_model.Network, _trie);
        var found = search.Search(hidden, history, Width(beam), excluded);
        return _hybrid is null
            ? [.. found.Select((row, i) => row.OrderByDescending(answer => answer.LogProbability)
                .ThenBy(answer => answer.Item).Take(queries[i].K).Select(answer => new Recommendation(
                answer.Item, Items.SemanticIds[answer.Item], answer.LogProbability, answer.LogProbability)).ToArray())]
            : [.. _hybrid.Parts(search, hidden, history, found, excluded).Select((row, i) => row.Select(Weigh)
                .OrderByDescending(answer => answer.Score).ThenBy(answer => answer.Item).Take(queries[i].K).ToArray())];
    }

    // An appended item has no vector: its generative probability stands for both, so that it competes on equal terms.
    private Recommendation Weigh((int Item, double Generative, double Dense) part) => double.IsNaN(part.Dense)
        ? new Recommendation(part.Item, Items.SemanticIds[part.Item], part.Generative, part.Generative)
        : new Recommendation(
            part.Item, Items.SemanticIds[part.Item], (Alpha * part.Generative) + ((1 - Alpha) * part.Dense), part.Generative, part.Dense);

    private int Width(int beam) => Math.Min(beam, Math.Max(1, _trie.Leaves));

    /// <summary>Reads the histories' most recent items, side by side.</summary>
    private (Tensor Hidden, HistoryCache Cache) Read(RecommendQuery[] queries)
    {
        var lengths = queries.Select(query => Math.Min(query.History.Count, _model.Config.Options.History)).ToArray();
        int slots = lengths.Max() + 1, depth = _model.Layout.Depth;
        var (slot, before) = (new int[queries.Length * slots], new int[queries.Length * slots]); // the item's slot, that before it
        var codes = new int[queries.Length * slots * depth];
        var previous = new long[queries.Length * slots];
        long none = _model.Config.TrainedItems; // appended items have no vector
        Array.Fill(slot, -1);
        Array.Fill(before, -1);
        Array.Fill(previous, none);
        for (int row = 0; row < queries.Length; row++)
        {
            var history = queries[row].History;
            for (int i = 0; i < lengths[row]; i++)
            {
                int at = (row * slots) + i, item = history[history.Count - lengths[row] + i];
                slot[at] = before[at + 1] = at;
                previous[at + 1] = Math.Min(item, none);
                _model.Layout.CopyCodes(Items.SemanticIds[item], codes.AsSpan(at * depth, depth));
            }
        }

        var device = _model.Device;
        var vectors = _model.Config.Options.DenseInputs
            ? _model.Vectors![tensor(previous, [queries.Length, slots], device: device)]
            : null;
        var input = new SlotInput(
            tensor(_model.Layout.Tokens(codes, slot, before), [queries.Length, slots, depth], device: device),
            arange(slots, ScalarType.Int64, device).unsqueeze(0).expand(queries.Length, -1),
            vectors);
        return _model.Network.Read(input, tensor(Array.ConvertAll(lengths, length => (long)length), [queries.Length], device: device));
    }

    private void Check(RecommendQuery query)
    {
        if (query.History.Count == 0)
        {
            throw CatalogException.Invalid("The history is empty; at least one item is needed.");
        }

        RecommendQuery.Check(query.K, query.Beam);
        foreach (int item in query.History)
        {
            if ((uint)item >= (uint)Items.Count)
            {
                throw CatalogException.Invalid($"Item index {item} is outside this version's catalogue of {Items.Count} items.");
            }
        }
    }
}
