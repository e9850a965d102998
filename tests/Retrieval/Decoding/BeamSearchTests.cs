using Recsys.Retrieval.Decoding;
using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Legs.Generative;
using Recsys.Retrieval.Legs.Transitions;

namespace Recsys.Retrieval.Tests.Decoding;

public class BeamSearchTests
{
    private static readonly int[] History = [3, 17, 3, 40, 8, 25]; // longer than the model reads, with a repeat

    public static TheoryData<bool, int> Cases => new() { { true, 1 }, { false, 2 }, { true, 3 } };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Beam_as_wide_as_the_catalogue_finds_what_exhaustive_scoring_finds(bool dense, int seed)
    {
        var table = Tiny.Table(60, [6, 5, 4], seed);
        using var recommender = new Recommender(Tiny.Model(table, Tiny.Options with { DenseInputs = dense }, seed), table);
        using var twin = Tiny.Model(table, Tiny.Options with { DenseInputs = dense }, seed);
        var expected = Tiny.ScoreAll(twin, table, History);

        var found = recommender.Recommend(new RecommendQuery(History, 1000), default);

        Assert.Equal(60, found.Count);
        Assert.Equal(Enumerable.Range(0, 60), found.Select(answer => answer.Item).Order());
        Assert.All(found, answer => Assert.Equal(expected[answer.Item], answer.Score, 1e-4));
        Assert.All(found, answer => Assert.Equal(table.SemanticIds[answer.Item], answer.Id));
        Assert.Equal(found.Select(answer => answer.Score).OrderDescending(), found.Select(answer => answer.Score));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Without_a_trie_all_tuples_come_in_the_order_of_their_probability(bool dense, int seed)
    {
        int[] sizes = [4, 3, 2];
        SemanticId[] tuples = [.. Enumerable.Range(0, 24).Select(
            i => new SemanticId([(ushort)(i / 6), (ushort)(i / 2 % 3), (ushort)(i % 2)]))];
        string[] names = [.. tuples.Select(tuple => $"{tuple}")];
        var table = new ItemTable(names, tuples, names, sizes);
        using var model = Tiny.Model(table, Tiny.Options with { DenseInputs = dense }, seed);
        int[] history = [3, 17, 8];
        var expected = Tiny.ScoreAll(model, table, history, levels: 3);

        var generated = model.Generate([[2], history], table, beam: 24, default)!;
        Assert.Equal(tuples.OrderByDescending(tuple => expected[Array.IndexOf(tuples, tuple)]), generated[1]);
        Assert.Equal(generated[1].Take(4), model.Generate([history], table, beam: 24, default)![0].Take(4)); // as alone
        Assert.NotEqual(generated[0], generated[1]);
        using var without = Tiny.Model(table, [Tiny.Dense(24, 1)]);
        Assert.Null(without.Generate([history], table, 4, default));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Histories_decoded_together_get_the_answers_they_get_alone(bool dense, int seed)
    {
        var table = Tiny.Table(60, [6, 5, 4], seed);
        using var recommender = new Recommender(Tiny.Model(table, Tiny.Options with { DenseInputs = dense }, seed), table);
        RecommendQuery[] queries =
        [
            new(History, 5), new([7], 3, 12), new([1, 2], 60, 0, true), new([1, 2], 5), new([59, 58, 57, 56, 55, 54], 10, 10, true),
        ];

        var together = recommender.RecommendBatch(queries, default);

        for (int i = 0; i < queries.Length; i++)
        {
            var alone = recommender.Recommend(queries[i], default);
            Assert.Equal(alone.Select(answer => answer.Item), together[i].Select(answer => answer.Item));
            Assert.All(alone.Zip(together[i]), pair => Assert.Equal(pair.First.Score, pair.Second.Score, 1e-4));
        }
    }

    [Fact]
    public void An_answer_does_not_depend_on_the_exclusions_of_other_rows()
    {
        // More items than a leg proposes: whoever is ranked beside a long exclusion list must not get further candidates.
        var table = Tiny.Table(400, [8, 8, 8], 12);
        using var recommender = new Recommender(Tiny.Model(table, Tiny.Options, 12, [Tiny.Dense(400, 12)], Weights(0.1)), table);
        RecommendQuery few = new(History, 8, 0, ExcludeSeen: true), many = new([.. Enumerable.Range(0, 250)], 8, 0, ExcludeSeen: true);
        var beside = recommender.RecommendBatch([few, many, few with { ExcludeSeen = false }], default);
        var alone = recommender.Recommend(few, default);
        Assert.Equal(alone.Select(answer => answer.Item), beside[0].Select(answer => answer.Item));
        Assert.All(alone, answer => Assert.Equal(answer.Parts.Sum(part => part.Weight * part.Value), answer.Score, 1e-9));
        Assert.All(alone, answer => Assert.Equal(
            [(DenseLeg.Id, 0.9), (GenerativeLeg.LegName, 0.1)], answer.Parts.Select(part => (part.Leg, part.Weight))));
        Assert.All(alone, answer => Assert.Equal(answer.Id, table.SemanticIds[answer.Item]));
        Assert.All(beside[1], answer => Assert.InRange(answer.Item, 250, 399));

        // A beam of 1,000 finds every item; one of 8 leaves room for candidates that should not be there.
        var candidates = recommender.Find([few], [false])[0][0].Candidates;
        Assert.InRange(candidates.Length, Candidates.OfOtherLegs, Candidates.OfOtherLegs + 8);
        var together = recommender.Find([few, many], [false])[0][0].Candidates;
        Assert.Equal(candidates.Select(found => found.Item), together.Select(found => found.Item));
        Assert.Empty(candidates.Select(found => found.Item).Intersect(History));
    }

    /// <summary>libtorch's own choice among equal scores follows no order.</summary>
    [Fact]
    public void Of_equal_scores_of_a_leg_those_of_the_first_items_are_candidates()
    {
        var table = Tiny.Table(400, [8, 8, 8], 12);
        var options = Tiny.Options with { DenseInputs = false };
        using var recommender = new Recommender(Tiny.Model(table, options, 12, [Tiny.Dense(400, 1, scale: 0)], Weights(0.1)), table);
        int[][] histories = [History, [7]];
        var found = recommender.Find([.. histories.Select(history => new RecommendQuery(history, 5, 5))], [false])[0];
        for (int row = 0; row < histories.Length; row++)
        {
            // As many as a leg proposes, and beside them those of the history that stand before: they could all be ranked down.
            int first = Enumerable.Range(1, 400).First(
                n => n - histories[row].Distinct().Count(item => item < n) == Candidates.OfOtherLegs);
            int[] candidates = [.. found[row].Candidates.Select(candidate => candidate.Item)];
            Assert.Equal(Enumerable.Range(0, first), candidates.Take(first));
            Assert.InRange(candidates.Length, first, first + 5);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(20)]
    public void Narrow_beam_gives_distinct_items_with_their_true_log_probabilities(int beam)
    {
        var table = Tiny.Table(90, [6, 5, 4], 4);
        using var recommender = new Recommender(Tiny.Model(table, Tiny.Options), table);
        using var twin = Tiny.Model(table, Tiny.Options);
        var expected = Tiny.ScoreAll(twin, table, History);
        var found = recommender.Recommend(new RecommendQuery(History, beam, beam), default);
        Assert.Equal(beam, found.Count);
        Assert.Equal(beam, found.Select(answer => answer.Item).Distinct().Count());
        Assert.All(found, answer => Assert.Equal(expected[answer.Item], answer.Score, 1e-4));
    }

    [Fact]
    public void Excluding_seen_items_loses_no_other_item()
    {
        var table = Tiny.Table(60, [6, 5, 4], 6);
        using var recommender = new Recommender(Tiny.Model(table, Tiny.Options), table);
        var all = recommender.Recommend(new RecommendQuery(History, 1000), default);
        var kept = recommender.Recommend(new RecommendQuery(History, 1000, 0, ExcludeSeen: true), default);
        Assert.Equal(all.Where(answer => !History.Contains(answer.Item)).Select(answer => answer.Item), kept.Select(answer => answer.Item));
    }

    [Fact]
    public void Excluded_items_take_no_place_in_a_narrow_beam()
    {
        // Every code at the first level but one belongs to seen items alone; a filter after the search would find nothing.
        var ids = Enumerable.Range(0, 8).Select(code => new SemanticId([(ushort)code, 0])).ToArray();
        var table = new ItemTable([.. ids.Select(id => id.ToString())], ids, [.. ids.Select(_ => "")], [8, 1]);
        using var recommender = new Recommender(Tiny.Model(table, Tiny.Options), table);
        for (int left = 0; left < 8; left++)
        {
            var seen = Enumerable.Range(0, 8).Where(item => item != left).ToArray();
            var found = recommender.Recommend(new RecommendQuery(seen, 1, 1, ExcludeSeen: true), default);
            Assert.Equal([left], found.Select(answer => answer.Item));
        }

        Assert.Empty(recommender.Recommend(new RecommendQuery([.. Enumerable.Range(0, 8)], 5, 5, ExcludeSeen: true), default));
    }

    [Fact]
    public void Probabilities_of_all_token_paths_existing_or_not_sum_to_one()
    {
        var table = Tiny.Table(5, [3, 2], 7);
        using var model = Tiny.Model(table, Tiny.Options);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var layout = model.Generative!.Layout;
        using var states = model.Generative.Read([[1, 4]], [null], table);
        var sums = new List<double> { 0 };
        for (int level = 0; level < layout.Depth; level++)
        {
            Assert.Equal(layout.Sizes[level], states.Tokens);
            int first = states.Count - sums.Count;
            sums = [.. sums.SelectMany((sum, state) => states.LogProbabilities(first + state).ToArray().Select(of => sum + of))];
            int[] paths = [.. Enumerable.Range(0, sums.Count)];
            if (level + 1 < layout.Depth)
            {
                int before = states.Count - (sums.Count / layout.Sizes[level]), size = layout.Sizes[level];
                states.Extend(Array.ConvertAll(paths, path => before + (path / size)), Array.ConvertAll(paths, path => path % size));
            }
        }

        Assert.Equal(layout.Sizes.Aggregate((all, size) => all * size), sums.Count);
        Assert.Equal(1, sums.Sum(Math.Exp), 1e-5);
    }

    /// <summary>What the search says it has proved is so, and where k is at most half of the beam it finds and proves nearly all.</summary>
    [Theory]
    [InlineData(16, 5)]
    [InlineData(24, 12)]
    [InlineData(24, 20)]
    [InlineData(1, 1)]
    public void Places_that_a_search_has_proved_are_those_of_an_exhaustive_one(int beam, int k)
    {
        var table = Tiny.Table(90, [5, 5, 5], 3).Append([new AppendedItem("new", new SemanticId([4, 4, 4], 7), "")]);
        using var recommender = new Recommender(Tiny.Model(Tiny.Table(90, [5, 5, 5], 3), Tiny.Options, 3), table);
        var (random, proved, same, asked) = (new Random(5), 0, 0, 0);
        for (int user = 0; user < 60; user++)
        {
            int[] history = random.GetItems([.. Enumerable.Range(0, 90)], 3);
            int[] excluded = [.. Enumerable.Range(0, 91).Where(_ => user % 2 == 1 && random.Next(2) == 0)];
            var query = new RecommendQuery(history, k, beam) { Exclude = excluded };
            var (found, all) = (recommender.Decode(query, exhaustive: false), recommender.Decode(query, exhaustive: true));
            Assert.Equal(91 - excluded.Length, all.Items.Length);
            Assert.Equal(all.Items.Take(found.Certain), found.Items.Take(found.Certain));
            var others = all.Items.ExceptBy(found.Items.Select(item => item.Item), item => item.Item).ToArray();
            Assert.All(others, left => Assert.True(left.LogProbability <= found.Bound));
            Assert.InRange(found.Items.Length, k, beam);
            var answers = recommender.Recommend(query, default);
            Assert.All(answers.Where(answer => answer.DecoderRank is not null), answer =>
                Assert.Equal(answer.Item, all.Items[answer.DecoderRank!.Value - 1].Item));
            asked++;
            proved += found.Certain >= k ? 1 : 0;
            same += found.Items.Take(k).SequenceEqual(all.Items.Take(k)) ? 1 : 0;
        }

        Assert.InRange(same, 2 * k <= beam ? 58 : proved, asked);
        Assert.InRange(proved, 2 * k <= beam ? 54 : 0, asked);
    }

    [Fact]
    public void Cancelled_between_two_tokens_it_stops_at_the_next()
    {
        var table = Tiny.Table(60, [6, 5, 4], 7);
        using var model = Tiny.Model(table, Tiny.Options);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var trie = new TrieLayers(table);
        var network = (Retrieval.Models.DecoderOnly)model.Generative!.Network;
        var states = network.Read(new SlotInputs(model, table).Of([-1, 3, 17]), tensor(new long[] { 0, 3 }), null);
        var (hidden, history) = network.Begin(states.narrow(0, 2, 1));
        using var cancel = new CancellationTokenSource();
        var watched = new CancellingDecoder(network, cancel);
        Assert.Throws<OperationCanceledException>(
            () => new BeamSearch(trie).Search(
                new Retrieval.Models.TensorStates(watched, hidden, history, (int)hidden.size(0)), 5, 1, [[PrefixFilter.Of(trie, null)]],
                [[]], cancel.Token));
        Assert.Equal([1], watched.Levels);
    }

    [Fact]
    public void Appended_item_is_found_by_its_codes_alone()
    {
        var table = Tiny.Table(30, [6, 5, 4], 8);
        var appended = table.Append([new AppendedItem("new", new SemanticId([5, 4, 3], 40), "New")]);
        using var recommender = new Recommender(Tiny.Model(table, Tiny.Options), table);
        using var grown = (Recommender)recommender.WithItems(appended);
        using var twin = Tiny.Model(table, Tiny.Options);
        var expected = Tiny.ScoreAll(twin, appended, [30, 2]);
        var found = grown.Recommend(new RecommendQuery([30, 2], 1000), default);
        Assert.Equal(31, found.Count);
        Assert.All(found, answer => Assert.Equal(expected[answer.Item], answer.Score, 1e-4));
    }

    [Fact]
    public void The_ranking_weighs_what_all_legs_say_of_the_union_and_what_a_repeat_costs()
    {
        var table = Tiny.Table(60, [6, 5, 4], 9);
        var sum = Weights(0.3, repeat: -1.5);
        using var recommender = new Recommender(Tiny.Model(table, Tiny.Options, 9, [Tiny.Dense(60, 9)], sum), table);
        using var twin = Tiny.Model(table, Tiny.Options, 9);
        using var dense = Tiny.Dense(60, 9);
        using var scores = dense.Scores([History]);
        var (generative, logP) = (Tiny.ScoreAll(twin, table, History), scores.data<float>().ToArray());
        var expected = Enumerable.Range(0, 60).Select(
            item => (0.3 * generative[item]) + (0.7 * logP[item]) - (History.Contains(item) ? 1.5 : 0)).ToArray();

        var all = recommender.Recommend(new RecommendQuery(History, 60), default);
        var unseen = recommender.Recommend(new RecommendQuery(History, 60, 0, ExcludeSeen: true), default);

        Assert.Equal(Enumerable.Range(0, 60), all.Select(answer => answer.Item).Order());
        Assert.Equal(Enumerable.Range(0, 60).Except(History), unseen.Select(answer => answer.Item).Order());
        Assert.All(all.Concat(unseen), answer => Assert.Equal(expected[answer.Item], answer.Score, 1e-4));
        Assert.Equal(all.Select(answer => answer.Score).OrderDescending(), all.Select(answer => answer.Score));
    }

    [Fact]
    public void Appended_item_competes_by_its_generative_probability()
    {
        var table = Tiny.Table(30, [6, 5, 4], 10);
        var sum = new LegSum(
            new Dictionary<string, double> { [TransitionLeg.LegName] = 2, [DenseLeg.Id] = 0.7, [GenerativeLeg.LegName] = 0.3 }, 0, 1, 1);
        var appended = table.Append([new AppendedItem("new", new SemanticId([5, 4, 3], 40), "New")]);
        using var recommender = new Recommender(
            Tiny.Model(table, Tiny.Options, 1, [Tiny.Transitions(30, 10), Tiny.Dense(30, 10)], sum), appended);
        using var twin = Tiny.Model(table, Tiny.Options);
        double logP = Tiny.Score(twin, appended, [30, 2], 30);
        var found = recommender.Recommend(new RecommendQuery([30, 2], 31), default);
        Assert.Equal(31, found.Count);
        var item = found.Single(answer => answer.Item == 30);
        Assert.Equal(logP, item.Score, 1e-4); // (0.7 + 0.3) of it, and no count
        Assert.Equal(0, item.Parts[0].Value);
        Assert.All(item.Parts.Skip(1), part => Assert.Equal(logP, part.Value, 1e-4));
    }

    /// <summary>The dense leg and the generative one, whose weights sum to 1.</summary>
    private static LegSum Weights(double generative, double repeat = 0) => new(
        new Dictionary<string, double> { [DenseLeg.Id] = 1 - generative, [GenerativeLeg.LegName] = generative }, repeat, 1, 1);
}
