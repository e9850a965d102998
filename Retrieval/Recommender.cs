using Recsys.Catalog.Attributes;
using Recsys.Retrieval.Decoding;
using Recsys.Retrieval.Legs.Transitions;

namespace Recsys.Retrieval;

/// <summary>
/// Answers queries from a model and a table of items. Safe to call from many threads at once: a call shares nothing that changes.
/// Items appended to the table after training are ranked as <see cref="NewItems"/> are.
/// </summary>
public sealed class Recommender : IRecommender, IVersionPart, IItemVectors
{
    /// <summary>Candidates scored at once, over all rows of a batch; bounds the memory of a call.</summary>
    private const int MaxCandidates = 4096;

    /// <summary>Scores of one leg held at once, over all rows of a batch.</summary>
    private const int MaxScores = 1 << 25;

    private readonly RetrievalModel _model;
    private readonly bool _ownsModel;
    private readonly TrieLayers _trie;
    private readonly TrieFilters _filters;
    private readonly NewItems _fresh;
    private readonly Candidates _candidates;
    private readonly SimilarItems _similar;
    private readonly Ranking _ranking;

    /// <param name="model">Becomes this recommender's to dispose.</param>
    /// <exception cref="CatalogException">The table's codebook is not the model's, or it lacks items that the model knows.</exception>
    public Recommender(RetrievalModel model, ItemTable items)
        : this(model, items, null, ownsModel: true)
    {
    }

    private Recommender(RetrievalModel model, ItemTable items, Recommender? before, bool ownsModel)
    {
        if (!items.CodebookSizes.SequenceEqual(model.Config.CodebookSizes) || items.Count < model.Config.TrainedItems)
        {
            throw CatalogException.Invalid(
                $"The retrieval model is of codebooks [{string.Join(", ", model.Config.CodebookSizes)}] and {model.Config.TrainedItems} "
                + $"items; the table has [{string.Join(", ", items.CodebookSizes)}] and {items.Count}. Both must be of one version.");
        }

        (_model, _ownsModel, Items) = (model, ownsModel, items);
        _trie = before?._trie.With(items) ?? new TrieLayers(items);
        _filters = new TrieFilters(_trie, before?._filters);
        _fresh = NewItems.Of(model, items, before?._fresh ?? NewItems.None);
        (_candidates, _similar) = (new Candidates(model, _trie, _filters, _fresh), new SimilarItems(model, _trie, _fresh));
        _ranking = new Ranking(model, items, _fresh, [.. LegNames]);
    }

    /// <summary>A recommender whose model lives on when it is disposed.</summary>
    internal static Recommender Borrowing(RetrievalModel model, ItemTable items) => new(model, items, null, ownsModel: false);

    public ItemTable Items { get; }

    /// <summary>The legs, in the order of a candidate's scores.</summary>
    public IEnumerable<string> LegNames =>
        _model.Generative is null
            ? _model.Legs.Select(leg => leg.Name)
            : _model.Legs.Select(leg => leg.Name).Append(Legs.Generative.GenerativeLeg.LegName);

    /// <summary>What the validation targets of its training chose.</summary>
    public RetrievalChoices Choices => _model.Choices;

    /// <summary>The weight of a repeated item where a leg answers alone, in the units of its score.</summary>
    internal float RepeatAlone(string leg) => (float)(_model.Config.Sum.RepeatAlone?.GetValueOrDefault(leg) ?? 0);

    /// <summary>The legs that score the whole catalogue: all but the generative one.</summary>
    internal IReadOnlyList<Legs.ILeg> FullLegs => _model.Legs;

    /// <summary>As the model's: items that training never saw, and the leg of <see cref="FullLegs"/> that tells them apart.</summary>
    internal (IReadOnlyList<int> Items, int Leg) Cold => (_model.Cold, _model.ByContent);

    /// <summary>The beam that a query is searched with.</summary>
    public int BeamFor(int k, int beam) => beam > 0 ? beam : Math.Max(k, _model.Config.Beam);

    public IReadOnlyList<Recommendation> Recommend(RecommendQuery query, CancellationToken cancel) => RecommendBatch([query], cancel)[0];

    public IReadOnlyList<Recommendation>[] RecommendBatch(IReadOnlyList<RecommendQuery> queries, CancellationToken cancel)
    {
        foreach (var query in queries)
        {
            Check(query);
        }

        var answers = new IReadOnlyList<Recommendation>[queries.Count];
        foreach (int i in Enumerable.Range(0, queries.Count).Where(i => queries[i].Caps.Count > 0))
        {
            answers[i] = CappedAnswer.Of(
                queries[i], Items.Attributes, query => Recommend(query, cancel), _model.Config.Sum.Temperature);
        }

        foreach (var alike in Enumerable.Range(0, queries.Count).Where(i => answers[i] is null).GroupBy(i => queries[i].ExcludeSeen))
        {
            int[] places = [.. alike];
            Answer(
                [.. places.Select(i => queries[i])], [alike.Key], (_, query, answer, _) => answers[places[query]] = answer, cancel);
        }

        return answers;
    }

    /// <summary>Answers to queries, each in some ways, with the items that the generative leg found alone.</summary>
    /// <param name="excludes">[ways] whether items of the history are left out, whatever the queries say.</param>
    /// <param name="scored">As in <see cref="Candidates.Find"/>.</param>
    internal void Answer(
        IReadOnlyList<RecommendQuery> queries, IReadOnlyList<bool> excludes, Answered answered, CancellationToken cancel,
        LegScored? scored = null)
    {
        var alike = Enumerable.Range(0, queries.Count)
            .GroupBy(i => (Beam: BeamFor(queries[i].K, queries[i].Beam), queries[i].K, queries[i].Filter));
        foreach (var group in alike)
        {
            foreach (var chunk in group.OrderBy(i => queries[i].History.Count).Chunk(MaxRows(group.Key.Beam, group.Key.K)))
            {
                cancel.ThrowIfCancellationRequested();
                var found = Find(
                    [.. chunk.Select(i => queries[i])], excludes,
                    scored is null ? null : (row, leg, scores) => scored(chunk[row], leg, scores),
                    cancel);
                for (int way = 0; way < found.Length; way++)
                {
                    for (int i = 0; i < chunk.Length; i++)
                    {
                        var query = queries[chunk[i]];
                        var candidates = query.Boosts.Count == 0
                            ? found[way][i].Candidates
                            : WithBoosted(query, excludes[way], found[way][i].Candidates, cancel);
                        answered(way, chunk[i], _ranking.Of(query, candidates, found[way][i].Decoded), found[way][i].Beam);
                    }
                }
            }
        }
    }

    public IReadOnlyList<Recommendation> Popular(RecommendQuery query)
    {
        CheckValues(query);
        if (query.Caps.Count > 0)
        {
            return CappedAnswer.Of(query, Items.Attributes, Popular);
        }

        var admission = _candidates.Admitted(query, excludeSeen: false);
        int trained = _model.Interactions.Length;
        var all = _model.ByPopularity.Concat(Enumerable.Range(trained, Items.Count - trained)) // nothing was counted for appended ones
            .Where(item => admission?.Allows(item) != false)
            .Select(item => (Item: item, Share: item < trained ? _model.Interactions[item] / _model.Total : 0))
            .Select(of => new Recommendation(
                of.Item, Items.SemanticIds[of.Item], Math.Log(of.Share) + _ranking.Boosted(query, of.Item), of.Share, []));
        return
        [
            .. (query.Boosts.Count == 0 && query.Sampling is null
                ? all
                : all.OrderByDescending(answer => _ranking.Drawn(query, answer.Item, answer.Score) ?? answer.Score)).Take(query.K),
        ];
    }

    public IReadOnlyList<(int Item, double Score)> Similar(RecommendQuery query, Likeness by)
    {
        CheckValues(query);
        if (query.History.Count != 1)
        {
            throw CatalogException.Invalid($"{query.History.Count} items are asked for what is like them; it must be one.");
        }

        return _similar.Of(query.History[0], by, query.K, _candidates.Admitted(query, excludeSeen: true)!);
    }

    public IReadOnlyList<ItemExplanation> Explain(RecommendQuery query, IReadOnlyList<int> items, CancellationToken cancel)
    {
        if (items.Count == 0)
        {
            return [];
        }

        var alone = new RecommendQuery(query.History, items.Count, User: query.User) 
        {
            Candidates = items, Boosts = query.Boosts, Weights = query.Weights, Unread = query.Unread,
        };
        var scored = Recommend(alone, cancel).ToDictionary(answer => answer.Item);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var paths = _candidates.Paths(alone, items);
        return [.. items.Index().Select(item => new ItemExplanation(
            scored[item.Item], paths.Length == 0 ? [] : paths[item.Index], _ranking.Reasons(query, item.Item)))];
    }

    /// <summary>
    /// A recommender whose transitions have also seen new interactions (<see cref="TransitionLeg.With"/>). It shares all else with this
    /// one and must not outlive it.
    /// </summary>
    public IVersionPart WithInteractions(IReadOnlyList<(IReadOnlyList<int> Before, int Item)> interactions) =>
        new Recommender(_model.With(interactions), Items, this, ownsModel: false);

    public ReadOnlyMemory<float> VectorOf(IReadOnlyDictionary<string, ReadOnlyMemory<float>> embeddings) =>
        _model.Content?.VectorOf(embeddings) ?? default;

    public IVersionPart WithItems(ItemTable items) => new Recommender(_model, items, this, ownsModel: false);

    public void Dispose()
    {
        if (_ownsModel)
        {
            _model.Dispose();
        }
    }

    /// <summary>The candidates of queries that are alike in k, beam and filter, with what each leg says of each.</summary>
    /// <param name="excludes">[ways] whether items of the history are left out.</param>
    /// <returns>[ways][queries]; scores in the order of <see cref="LegNames"/>.</returns>
    internal Found[][] Find(
        RecommendQuery[] queries, IReadOnlyList<bool> excludes, LegScored? scored = null, CancellationToken cancel = default)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        return _candidates.Find(queries, BeamFor(queries[0].K, queries[0].Beam), excludes, scored, cancel);
    }

    /// <summary>What the generative leg says alone: its beam's items, or where it is <paramref name="exhaustive"/> all that may be
    /// answered.</summary>
    /// <exception cref="CatalogException">FailedPrecondition: the model has no generative leg.</exception>
    internal Decoded Decode(RecommendQuery query, bool exhaustive)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        return exhaustive ? _candidates.Exhaustive(query) : Find([query], [false])[0][0].Decoded;
    }

    /// <summary>With the best of those that a boost raises, and of those that it does not lower: they may stand first then.</summary>
    private (int Item, double[] Scores)[] WithBoosted(
        RecommendQuery query, bool excludeSeen, (int Item, double[] Scores)[] candidates, CancellationToken cancel)
    {
        var all = candidates.ToDictionary(candidate => candidate.Item, candidate => candidate.Scores);
        foreach (var boost in query.Boosts)
        {
            var raised = boost.Add > 0 ? boost.Condition : new Unless(boost.Condition);
            var among = query with { Filter = ItemFilter.Both(query.Filter, raised) };
            foreach (var (item, scores) in Find([among], [excludeSeen], cancel: cancel)[0][0].Candidates)
            {
                all.TryAdd(item, scores);
            }
        }

        return [.. all.OrderBy(candidate => candidate.Key).Select(candidate => (candidate.Key, candidate.Value))];
    }

    /// <inheritdoc cref="Ranking.Parts"/>
    internal double[] Parts(int item, double[] scores, IReadOnlySet<int> seen) => _ranking.Parts(item, scores, seen);

    /// <summary>Queries that are answered at once.</summary>
    internal int MaxRows(int beam, int k) =>
        Math.Max(1, Math.Min(MaxCandidates / Candidates.Bound(beam, k), MaxScores / Math.Max(1, Items.Count)));

    private void Check(RecommendQuery query)
    {
        if (query.History.Count == 0)
        {
            throw CatalogException.Invalid("The history is empty; at least one item is needed.");
        }

        if (query.Weights is { } weights && (weights.Count != query.History.Count || weights.Any(weight => !(weight > 0))))
        {
            throw CatalogException.Invalid("The weights of a history are one for each of its items, above 0.");
        }

        CheckValues(query);
    }

    private void CheckValues(RecommendQuery query)
    {
        RecommendQuery.Check(query.K, query.Beam);
        Items.Attributes.Check(
            [.. query.Boosts.Select(boost => boost.Condition.Attribute), .. query.Caps.Select(cap => cap.Attribute)]);
        foreach (int item in query.History.Concat(query.Exclude).Concat(query.Candidates ?? []))
        {
            if ((uint)item >= (uint)Items.Count)
            {
                throw CatalogException.Invalid($"Item index {item} is outside this version's catalogue of {Items.Count} items.");
            }
        }
    }
}

/// <summary>One answer to one query.</summary>
/// <param name="way">Place among the ways that were asked for.</param>
/// <param name="query">Place among the queries.</param>
/// <param name="beam">What the generative leg found alone, best first.</param>
internal delegate void Answered(int way, int query, Recommendation[] answer, (int Item, double LogProbability)[] beam);
