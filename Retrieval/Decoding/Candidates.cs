using System.Runtime.InteropServices;
using Recsys.Retrieval.Legs;
using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Legs.Generative;
using Recsys.Retrieval.Legs.Transitions;
using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Decoding;

/// <summary>
/// The items that an answer is chosen from, with what each leg says of each: the beam's, and the best of every other leg. Every leg
/// scores all of them exactly, the generative one by the tokens of those that its beam did not find.
/// </summary>
/// <param name="fresh">Items that came after training.</param>
internal sealed class Candidates(RetrievalModel model, TrieLayers trie, TrieFilters filters, NewItems fresh)
{
    /// <summary>Candidates that the legs but the generative one bring in turn, and more where an answer is longer.</summary>
    public const int OfOtherLegs = 64;

    /// <summary>Items of one exhaustive scoring at once; bounds its memory.</summary>
    private const int MaxListed = 1 << 14;

    /// <summary>Candidates among those that training never saw, where there are such items.</summary>
    private const int ColdOnes = 16;

    /// <summary>Candidates of one row at most.</summary>
    public static int Bound(int beam, int k) => beam + Math.Max(OfOtherLegs, 2 * k) + Math.Max(ColdOnes, k);

    private readonly ItemGroup _cold = new(
        [.. model.Cold, .. fresh.Ranked], item => model.IsCold(item) || fresh.Of(item) is not null);

    // For cold items it stands for what the generative leg says, which has learned that their codes are never next.
    private readonly int _byContent = model.ByContent >= 0 || !fresh.Ranked.Any() ? model.ByContent
        : model.Legs.Index().Single(leg => leg.Item == model.Content).Index;

    /// <summary>Which items a query may be answered with; null: every one.</summary>
    /// <param name="excludeSeen">Whether items of the history are left out, whatever the query says.</param>
    /// <exception cref="CatalogException">InvalidArgument: the filter names an attribute that there is not.</exception>
    public Admission? Admitted(RecommendQuery query, bool excludeSeen) =>
        Admission.Of(query, excludeSeen, query.Filter is null ? null : filters.Of(query.Filter));

    /// <param name="queries">[rows] alike in k and in their filter.</param>
    /// <param name="beam">Beams of the generative leg.</param>
    /// <param name="excludes">[ways] whether items of the history are left out. What both ways ask for is read and scored once.</param>
    /// <param name="scored">Told what each leg but the generative one says of the whole catalogue; null: nobody asks.</param>
    /// <returns>[ways][rows]</returns>
    public Found[][] Find(IReadOnlyList<RecommendQuery> queries, int beam, IReadOnlyList<bool> excludes, LegScored? scored = null,
        CancellationToken cancel = default)
    {
        int k = queries[0].K;
        IReadOnlyList<int>[] histories = [.. queries.Select(query => query.History)];
        Admission?[][] admissions = [.. excludes.Select(
            exclude => queries.Select(query => Admitted(query, exclude)).ToArray())]; // [ways][rows]
        var all = model.Legs.Select((leg, at) => Scores(leg, at, queries, scored)).ToArray(); // [legs][rows]

        SortedSet<int>[][] found = [.. admissions.Select(
            of => queries.Select((query, row) => InTurn(
                [.. all.Select(leg => leg[row])], [.. query.History, .. query.Unread], k, of[row])).ToArray())];
        var (generative, beams) = model.Generative is { } leg
            ? Generative(leg, queries, k, beam, admissions, found, cancel)
            : ([.. histories.Select(_ => new Dictionary<int, double>())],
                [.. found.Select(way => way.Select(_ => Decoded.None).ToArray())]);
        return [.. found.Select((way, at) => way
            .Select((items, row) => new Found(
                Score([.. items], [.. all.Select(leg => leg[row])], generative[row]), beams[at][row])).ToArray())];
    }

    /// <returns>[rows]</returns>
    private ILegScores[] Scores(ILeg leg, int at, IReadOnlyList<RecommendQuery> queries, LegScored? scored)
    {
        var read = queries.Select(query => query.Read(leg.History)).ToArray();
        IReadOnlyList<int>[] histories = [.. read.Select(of => of.Items)];
        IReadOnlyList<double>?[] weights = [.. read.Select(of => of.Weights)];
        if (scored is not null)
        {
            var full = leg.Scores(histories, fresh, weights);
            for (int row = 0; row < histories.Length; row++)
            {
                int width = (int)full.size(1);
                scored(row, at, MemoryMarshal.Cast<byte, float>(full.bytes).Slice(row * width, model.Config.TrainedItems));
            }

            if (!leg.Searches)
            {
                return FullScores.Of(full);
            }
        }

        return leg.Search(histories, fresh, weights);
    }

    /// <summary>What the generative leg reads of queries.</summary>
    private PrefixStates Read(GenerativeLeg leg, IReadOnlyList<RecommendQuery> queries) => leg.Read(
        [.. queries.Select(query => query.Read(leg.Config.Options.History).Items)], [.. queries.Select(query => query.User)], trie.Items,
        fresh);

    /// <summary>The best of each leg, one after the other: what is well placed in any leg is among them, whatever the scale of its
    /// scores.</summary>
    /// <param name="all">[legs]</param>
    private SortedSet<int> InTurn(ILegScores[] all, IReadOnlyList<int> history, int k, Admission? admission)
    {
        int wanted = Math.Max(OfOtherLegs, 2 * k);
        if (IsShort(admission, k))
        {
            return [.. admission!.Listed];
        }

        // The history's own items may all be among the best, and then all be ranked down: they are extra.
        var seen = history.Where(item => admission?.Allows(item) != false).ToHashSet();
        int[][] best = [.. all.Select(scores => scores.Best(wanted + seen.Count, admission))];
        var (found, extra) = (new SortedSet<int>(), 0);
        for (int place = 0; place < wanted + seen.Count; place++)
        {
            foreach (int[] leg in best)
            {
                if (place < leg.Length && found.Count < wanted + extra && found.Add(leg[place]))
                {
                    extra += seen.Contains(leg[place]) ? 1 : 0;
                }
            }
        }

        if (_byContent >= 0)
        {
            // No leg ranks items first that it never saw; a weight of the sum may.
            found.UnionWith(all[_byContent].Best(Math.Max(ColdOnes, k), admission, _cold));
        }

        // Where nothing decodes, appended items stand behind all others; there may be too few of those.
        for (int item = model.Config.TrainedItems; model.Generative is null && item < trie.Items.Count && found.Count < k; item++)
        {
            if (admission?.Allows(item) != false)
            {
                found.Add(item);
            }
        }

        return found;
    }

    /// <summary>Whether a query has so few candidates of its own that nothing need be searched: all of them are scored.</summary>
    private static bool IsShort(Admission? admission, int k) =>
        admission?.Only == true && admission.Listed.Count <= Math.Max(OfOtherLegs, 2 * k);

    /// <param name="items">Ascending.</param>
    /// <param name="all">[legs]</param>
    private (int Item, double[] Scores)[] Score(int[] items, ILegScores[] all, Dictionary<int, double> generative)
    {
        var candidates = items.Select(item => (Item: item, Scores: new double[all.Length + (model.Generative is null ? 0 : 1)])).ToArray();
        for (int at = 0; at < all.Length; at++)
        {
            float[] scores = all[at].Of(items);
            var leg = all[at];
            var least = new Lazy<double>(() => scores.Where(score => !float.IsNaN(score)).Append(leg.Least).Min());
            foreach (var (place, (item, of)) in candidates.Index())
            {
                // What stands for the score of an item that has no vector is its generative log-probability, so that it competes on equal
                // terms; where nothing decodes, the leg's lowest.
                of[at] = !float.IsNaN(scores[place])
                    ? scores[place]
                    : generative.TryGetValue(item, out double decoded) ? decoded : least.Value;
            }
        }

        if (model.Generative is not null)
        {
            foreach (var (item, of) in candidates)
            {
                of[^1] = _byContent >= 0 && (model.IsCold(item) || fresh.Of(item) is not null) ? of[_byContent] : generative[item];
            }
        }

        return candidates;
    }

    /// <param name="found">[ways][rows]; get the beams' items.</param>
    /// <returns>[rows] the log-probabilities of all that was found in any way, and [ways][rows] what the beams found.</returns>
    private (Dictionary<int, double>[] Scores, Decoded[][] Beams) Generative(
        GenerativeLeg leg, IReadOnlyList<RecommendQuery> queries, int k, int beam, Admission?[][] admissions, SortedSet<int>[][] found,
        CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var ways = Array.ConvertAll(admissions, rows => Array.ConvertAll(
            rows, admission => IsShort(admission, k) ? null : PrefixFilter.Of(trie, admission)));
        int[][] others = [.. queries.Select((_, row) => found.SelectMany(way => way[row]).Distinct().Order().ToArray())];
        using var states = Read(leg, queries);
        var (beams, listed) = new BeamSearch(trie).Search(states, beam, k, ways, others, cancel);
        var scores = others
            .Zip(listed, (items, of) => items.Zip(of).ToDictionary(pair => pair.First, pair => (double)pair.Second)).ToArray();
        for (int row = 0; row < scores.Length; row++)
        {
            for (int way = 0; way < beams.Length; way++)
            {
                foreach (var (item, logProbability) in beams[way][row].Items)
                {
                    scores[row].TryAdd(item, logProbability);
                    found[way][row].Add(item);
                }
            }
        }

        return (scores, beams);
    }

    /// <summary>How the generative leg comes to items.</summary>
    /// <returns>[items][depth]; empty where there is no such leg.</returns>
    public PathToken[][] Paths(RecommendQuery query, IReadOnlyList<int> items)
    {
        if (model.Generative is not { } leg)
        {
            return [];
        }

        using var states = Read(leg, [query]);
        return DecodingPaths.Of(states, trie.Items, items);
    }

    /// <summary>All items that a query may be answered with, as the generative leg ranks them: each is scored, none is searched
    /// for.</summary>
    /// <exception cref="CatalogException">FailedPrecondition: the model has no generative leg.</exception>
    public Decoded Exhaustive(RecommendQuery query)
    {
        var leg = model.Generative ?? throw CatalogException.Precondition("The model has no generative leg.");
        var admission = Admitted(query, excludeSeen: false);
        var items = Enumerable.Range(0, trie.Items.Count).Where(item => admission?.Allows(item) != false);
        var found = items.Chunk(MaxListed).SelectMany(some =>
        {
            using var states = Read(leg, [query]);
            var scores = new BeamSearch(trie).Search(states, 1, 1, [], [some]).Listed[0];
            return some.Zip(scores, (item, of) => (Item: item, LogProbability: (double)of));
        });
        return new Decoded(
            [.. found.OrderByDescending(of => of.LogProbability).ThenBy(of => of.Item)], double.NegativeInfinity);
    }
}

/// <summary>What was found for one history.</summary>
/// <param name="Candidates">By item index; Scores: [legs], in the order of the model's legs, the generative one last.</param>
/// <param name="Decoded">What the generative leg found alone.</param>
internal sealed record Found((int Item, double[] Scores)[] Candidates, Decoded Decoded)
{
    public (int Item, double LogProbability)[] Beam => Decoded.Items;
}

/// <summary>What one leg says of every item that it was trained with.</summary>
/// <param name="query">The query's place among those that were asked.</param>
/// <param name="leg">Place among the model's legs.</param>
/// <param name="scores">[trained items], valid during the call.</param>
internal delegate void LegScored(int query, int leg, ReadOnlySpan<float> scores);
