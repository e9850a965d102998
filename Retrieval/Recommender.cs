using Recsys.Retrieval.Decoding;
using Recsys.Retrieval.Models;

namespace Recsys.Retrieval;

/// <summary>
/// Answers queries from a model and a table of items. Safe to call from many threads at once: a call shares nothing that changes.
/// Items appended to the table after training are found by their codes alone.
/// </summary>
public sealed class Recommender : IRecommender, IVersionPart
{
    public const int MaxK = 1000;

    /// <summary>Beams decoded at once, over all rows of a batch; bounds the memory of a call.</summary>
    private const int MaxBeams = 4096;

    /// <summary>Dense scores held at once, over all rows of a batch.</summary>
    private const int MaxDenseScores = 1 << 25;

    private readonly RetrievalModel _model;
    private readonly bool _ownsModel;
    private readonly ItemTrie _trie;
    private readonly TrieTensors _tensors;
    private readonly HybridRanking? _hybrid;
    private readonly int[] _codes;

    /// <param name="model">Becomes this recommender's to dispose.</param>
    /// <exception cref="CatalogException">The table's codebook is not the model's, or it lacks items that the model knows.</exception>
    public Recommender(RetrievalModel model, ItemTable items)
        : this(model, items, ownsModel: true)
    {
    }

    private Recommender(RetrievalModel model, ItemTable items, bool ownsModel)
    {
        if (!items.CodebookSizes.SequenceEqual(model.Config.CodebookSizes) || items.Count < model.Config.TrainedItems)
        {
            throw CatalogException.Invalid(
                $"The retrieval model is of codebooks [{string.Join(", ", model.Config.CodebookSizes)}] and {model.Config.TrainedItems} "
                + "items; " +
                $"the table has [{string.Join(", ", items.CodebookSizes)}] and {items.Count}. Both must be of one version.");
        }

        (_model, _ownsModel, Items) = (model, ownsModel, items);
        _codes = model.Layout.Codes(items);
        _trie = new ItemTrie(items, model.Layout.CollisionTokens);
        _tensors = new TrieTensors(_trie, model.Layout.Sizes, model.Device);
        _hybrid = model.Network.HasDenseHead && model.Config.Alpha < 1 ? new HybridRanking(model, _trie, _codes) : null;
    }

    public ItemTable Items { get; }

    /// <summary>Items that no search can reach: their collision token is beyond those that the model knows. A rebuild brings them
    /// in.</summary>
    public int Unreachable => _trie.LeftOut;

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

    public IVersionPart WithItems(ItemTable items) => new Recommender(_model, items, ownsModel: false);

    public void Dispose()
    {
        _tensors.Dispose();
        if (_ownsModel)
        {
            _model.Dispose();
        }
    }

    private int MaxRows(int beam) =>
        Math.Max(1, Math.Min(MaxBeams / beam, _hybrid is null ? int.MaxValue : MaxDenseScores / Math.Max(1, Items.Count)));

    /// <summary>Both log-probabilities of every candidate of the hybrid ranking.</summary>
    internal (int Item, double Generative, double Dense)[][] HybridParts(RecommendQuery[] queries)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var (hidden, history) = Read(queries);
        var search = new BeamSearch(_model.Network, _tensors, _trie);
        return _hybrid!.Parts(
            search, hidden, history, Beams(search, hidden, history, queries.Max(query => BeamFor(query.K, query.Beam)), null), null);
    }

    private Recommendation[][] Decode(RecommendQuery[] queries, int beam)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var (hidden, history) = Read(queries);
        var excluded = queries.Any(query => query.ExcludeSeen)
            ? queries.Select(query => query.ExcludeSeen ? query.History.AsEnumerable() : []).ToArray()
            : null;
        var search = new BeamSearch(_model.Network, _tensors, _trie);
        var found = Beams(search, hidden, history, beam, excluded);
        if (_hybrid is not null)
        {
            found = _hybrid.Rerank(search, hidden, history, found, excluded);
        }

        return [.. found.Select((row, i) => row.Take(queries[i].K)
            .Select(answer => new Recommendation(answer.Item, Items.SemanticIds[answer.Item], answer.Score)).ToArray())];
    }

    private (int Item, double Score)[][] Beams(
        BeamSearch search, Tensor hidden, HistoryCache history, int beam, IReadOnlyList<IEnumerable<int>>? excluded) =>
        [.. search.Search(hidden, history, Math.Min(beam, Math.Max(1, _trie.Leaves)), excluded)
            .Select(row => row.Select(found => (_trie.LeafItem[found.Leaf], (double)found.LogProbability)).ToArray())];

    /// <summary>Reads the histories' most recent items, side by side.</summary>
    private (Tensor Hidden, HistoryCache Cache) Read(RecommendQuery[] queries)
    {
        var lengths = queries.Select(query => Math.Min(query.History.Count, _model.Config.Options.History)).ToArray();
        int slots = lengths.Max() + 1;
        var (items, previous) = (new int[queries.Length * slots], new int[queries.Length * slots]);
        Array.Fill(items, -1);
        Array.Fill(previous, -1);
        for (int row = 0; row < queries.Length; row++)
        {
            var history = queries[row].History;
            for (int i = 0; i < lengths[row]; i++)
            {
                items[(row * slots) + i] = previous[(row * slots) + i + 1] = history[history.Count - lengths[row] + i];
            }
        }

        var device = _model.Device;
        long none = _model.Config.TrainedItems; // appended items have no vector
        var vectors = _model.Config.Options.DenseInputs
            ? _model.Vectors![tensor(
                Array.ConvertAll(previous, item => item < 0 || item >= none ? none : item), [queries.Length, slots], device: device)]
            : null;
        var input = new SlotInput(
            tensor(_model.Layout.Tokens(_codes, items, previous), [queries.Length, slots, _model.Layout.Depth], device: device),
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

        if (query.K is < 1 or > MaxK)
        {
            throw CatalogException.Invalid($"k is {query.K}; it must be 1 to {MaxK}.");
        }

        if (query.Beam != 0 && (query.Beam < query.K || query.Beam > MaxK))
        {
            throw CatalogException.Invalid($"The beam is {query.Beam}; it must be 0 (chosen by the server) or k ({query.K}) to {MaxK}.");
        }

        foreach (int item in query.History)
        {
            if ((uint)item >= (uint)Items.Count)
            {
                throw CatalogException.Invalid($"Item index {item} is outside this version's catalogue of {Items.Count} items.");
            }
        }
    }
}
