using Recsys.Retrieval.Decoding;

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
    public void A_hybrid_answer_does_not_depend_on_the_exclusions_of_other_rows()
    {
        // More items than the dense head proposes: whoever is decoded beside a long exclusion list must not get further candidates.
        var table = Tiny.Table(400, [8, 8, 8], 12);
        using var recommender = new Recommender(Tiny.Model(table, Tiny.Options with { DenseLoss = 1, Alpha = 0.1 }, 12), table);
        RecommendQuery plain = new(History, 8), excluding = new([.. Enumerable.Range(0, 250)], 8, 0, ExcludeSeen: true);
        var beside = recommender.RecommendBatch([plain with { K = 1000 }, excluding with { K = 1000 }], default);
        var alone = recommender.Recommend(plain with { K = 1000 }, default);
        Assert.Equal(alone.Select(answer => answer.Item), beside[0].Select(answer => answer.Item));
        Assert.All(alone, answer => Assert.Equal((0.1 * answer.Generative!.Value) + (0.9 * answer.Dense!.Value), answer.Score, 1e-9));
        Assert.All(alone, answer => Assert.Equal(answer.Id, table.SemanticIds[answer.Item]));
        Assert.Equal(0.1, recommender.Alpha);

        // A beam of 1,000 finds every item; one of 8 leaves room for candidates that should not be there.
        var candidates = recommender.HybridParts([plain])[0];
        Assert.InRange(candidates.Length, 100, 108);
        Assert.Equal(
            candidates.Select(part => part.Item), recommender.HybridParts([plain, excluding])[0].Select(part => part.Item));
    }

    /// <summary>libtorch's own choice among equal scores follows no order.</summary>
    [Fact]
    public void Of_equal_dense_scores_those_of_the_first_items_are_candidates()
    {
        var table = Tiny.Table(400, [8, 8, 8], 12);
        using var model = Tiny.Model(table, Tiny.Options with { DenseInputs = false, DenseLoss = 1, Alpha = 0.1 }, 12);
        using (no_grad())
        {
            model.Vectors!.zero_();
        }

        using var recommender = new Recommender(model, table);
        var parts = recommender.HybridParts([new(History, 5, 5), new([7], 5, 5)]);
        Assert.All(parts, row => Assert.Equal(Enumerable.Range(0, 100), row.Select(part => part.Item).Intersect(Enumerable.Range(0, 100))));
        Assert.All(parts, row => Assert.InRange(row.Length, 100, 105));
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
        var layout = model.Layout;
        using var trie = new TrieLayers(table, layout.Sizes, CPU);
        var sizes = layout.Sizes;
        var all = from a in Enumerable.Range(0, sizes[0])
                  from b in Enumerable.Range(0, sizes[1])
                  from c in Enumerable.Range(0, sizes[2])
                  select new long[] { a, b, c };
        var paths = tensor(all.SelectMany(path => path).ToArray(), [1, sizes[0] * sizes[1] * sizes[2], 3]);
        var input = new SlotInputs(model, table).Of([1, 4]);
        var (hidden, cache) = model.Network.Read(input, tensor(new long[] { 2 }));
        var scores = new BeamSearch(model.Network, trie).Score(hidden, cache, paths);
        Assert.Equal(1, scores.exp().sum().item<float>(), 1e-5);
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
    public void Hybrid_ranking_weighs_both_log_probabilities_over_the_union()
    {
        var table = Tiny.Table(60, [6, 5, 4], 9);
        var options = Tiny.Options with { DenseLoss = 1, Alpha = 0.3 };
        using var recommender = new Recommender(Tiny.Model(table, options), table);
        using var twin = Tiny.Model(table, options);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var generative = Tiny.ScoreAll(twin, table, History);
        var hidden = Tiny.Forward(twin, table, [.. History[^4..], 0])[0, 4, 0];
        var products = matmul(twin.Vectors!.narrow(0, 0, 60), twin.Network.DenseQueries(hidden));
        var dense = nn.functional.log_softmax(products, -1).data<float>().ToArray();
        var expected = Enumerable.Range(0, 60).Select(item => (0.3 * generative[item]) + (0.7 * dense[item])).ToArray();

        var found = recommender.Recommend(new RecommendQuery(History, 60, 0, ExcludeSeen: true), default);

        Assert.Equal(Enumerable.Range(0, 60).Except(History), found.Select(answer => answer.Item).Order());
        Assert.All(found, answer => Assert.Equal(expected[answer.Item], answer.Score, 1e-4));
    }

    [Fact]
    public void Appended_item_stands_in_the_hybrid_ranking_with_its_generative_probability()
    {
        var table = Tiny.Table(30, [6, 5, 4], 10);
        var options = Tiny.Options with { DenseLoss = 1, Alpha = 0.3 };
        var appended = table.Append([new AppendedItem("new", new SemanticId([5, 4, 3], 40), "New")]);
        using var recommender = new Recommender(Tiny.Model(table, options), appended);
        using var twin = Tiny.Model(table, options);
        var found = recommender.Recommend(new RecommendQuery([30, 2], 31), default);
        Assert.Equal(31, found.Count);
        Assert.Equal(Tiny.Score(twin, appended, [30, 2], 30), found.Single(answer => answer.Item == 30).Score, 1e-4);
    }
}
