using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Tests;

public class RecommenderTests
{
    private static readonly ItemTable Table = Tiny.Table(60, [6, 5, 4], 1);

    [Fact]
    public void A_hundred_requests_leave_no_tensor_behind()
    {
        using var recommender = new Recommender(
            Tiny.Model(Table, Tiny.Options, legs: [Tiny.Transitions(60, 1), Tiny.Dense(60, 1)]), Table);
        long before = Tiny.LiveTensors();
        for (int i = 0; i < 100; i++)
        {
            recommender.Recommend(new RecommendQuery([i % 60, (i * 7) % 60], 5, 0, i % 2 == 0), default);
        }

        Assert.Equal(before, Tiny.LiveTensors());
    }

    [Fact]
    public void A_disposed_recommender_leaves_no_tensor_behind()
    {
        RetrievalModel Model() => Tiny.Model(Table, Tiny.Options, legs: [Tiny.Transitions(60, 1), Tiny.Dense(60, 1)]);
        long overcount = Tiny.Overcount(Model), before = Tiny.LiveTensors();
        using (var recommender = new Recommender(Model(), Table))
        using (recommender.WithItems(Table.Append([new AppendedItem("x", new SemanticId([0, 0, 0], 30), "")])))
        {
            recommender.Recommend(new RecommendQuery([1], 5), default);
        }

        Assert.Equal(before + overcount, Tiny.LiveTensors());
    }

    /// <summary>libtorch's own sorting leaves equal scores in no order from 17 elements on.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Equal_scores_come_in_the_order_of_the_items(bool legs)
    {
        using var model = Tiny.Model(Table, Tiny.Options, legs: legs ? [Tiny.Dense(60, 1, scale: 0)] : [], uniform: true);
        using var recommender = new Recommender(model, Table);
        var answers = recommender.Recommend(new RecommendQuery([3], Table.Count, Table.Count), default);
        var groups = answers.GroupBy(answer => answer.Score).Select(group => group.Select(answer => answer.Item).ToList()).ToList();
        Assert.Equal(Table.Count, answers.Count);
        Assert.Contains(groups, group => group.Count > 17);
        Assert.All(groups, group => Assert.Equal(group.Order(), group));
    }

    [Fact]
    public void No_weight_stands_under_two_names_or_an_optimiser_would_step_it_twice()
    {
        using var model = Tiny.Model(Table, Tiny.Options);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        using var encoder = new SequenceEncoder(Tiny.Options, generator);
        foreach (var parameters in new[] { model.Generative!.Network.parameters().ToArray(), encoder.parameters().ToArray() })
        {
            for (int i = 0; i < parameters.Length; i++)
            {
                parameters[i].fill_(i);
            }

            Assert.Equal(Enumerable.Range(0, parameters.Length), parameters.Select(parameter => (int)parameter.max().item<float>()));
        }
    }

    [Fact]
    public async Task Concurrent_requests_get_the_answers_they_get_alone()
    {
        using var recommender = new Recommender(
            Tiny.Model(Table, Tiny.Options, legs: [Tiny.Transitions(60, 1), Tiny.Dense(60, 1)]), Table);
        var queries = Enumerable.Range(0, 40).Select(i => new RecommendQuery([i, (i * 3) % 60, (i * 5) % 60], 6, 0, i % 2 == 0)).ToArray();
        var alone = queries.Select(query => recommender.Recommend(query, default)).ToArray();
        var together = await Task.WhenAll(queries.Select(query => Task.Run(() => recommender.Recommend(query, default))));
        Assert.Equal(alone.Select(Tiny.Text), together.Select(Tiny.Text));
    }

    [Fact]
    public void Asked_in_both_ways_at_once_queries_get_the_answers_that_they_get_in_each()
    {
        int[] interactions = [.. Enumerable.Range(0, 60).Select(item => item % 7)]; // some are cold
        using var recommender = new Recommender(
            Tiny.Model(Table, Tiny.Options, legs: [Tiny.Transitions(60, 1), Tiny.Dense(60, 1)], interactions: interactions), Table);
        RecommendQuery[] queries = [.. Enumerable.Range(0, 20).Select(i => new RecommendQuery([i, (i * 3) % 60, (i * 5) % 60], 6))];
        int asked = 0;
        recommender.Answer(queries, [false, true], (way, query, answer, beam) =>
        {
            var alone = recommender.Recommend(queries[query] with { ExcludeSeen = way == 1 }, default);
            Assert.Equal(alone.Select(item => item.Item), answer.Select(item => item.Item));
            Assert.All(alone.Zip(answer), pair => Assert.Equal(pair.First.Score, pair.Second.Score, 1e-4));
            Assert.True(way == 0 || !beam.Any(item => queries[query].History.Contains(item.Item)));
            asked++;
        }, default);
        Assert.Equal(40, asked);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1001, 0)]
    [InlineData(5, 4)]
    [InlineData(5, 1001)]
    public void Queries_out_of_range_are_refused(int k, int beam)
    {
        using var recommender = new Recommender(Tiny.Model(Table, Tiny.Options), Table);
        var error = Assert.Throws<CatalogException>(() => recommender.Recommend(new RecommendQuery([1], k, beam), default));
        Assert.Equal(Fault.InvalidArgument, error.Fault);
    }

    [Fact]
    public void Empty_history_and_unknown_index_are_refused()
    {
        using var recommender = new Recommender(Tiny.Model(Table, Tiny.Options), Table);
        Assert.Throws<CatalogException>(() => recommender.Recommend(new RecommendQuery([], 5), default));
        Assert.Throws<CatalogException>(() => recommender.Recommend(new RecommendQuery([60], 5), default));
    }

    [Fact]
    public void Model_and_table_of_different_codebooks_are_refused()
    {
        using var model = Tiny.Model(Table, Tiny.Options);
        var error = Assert.Throws<CatalogException>(() => new Recommender(model, Tiny.Table(60, [6, 5, 5], 1)));
        Assert.Contains("one version", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Loader_gives_nothing_for_a_version_without_the_part_and_a_warm_recommender_for_one_with_it()
    {
        var root = Directory.CreateTempSubdirectory().FullName;
        using (var model = Tiny.Model(Table, Tiny.Options))
        {
            model.Save(Path.Combine(root, "retrieval"));
        }

        var description = new VersionDescription("tiny", 1, [6, 5, 4], 60, new Dictionary<string, double>());
        VersionFolder Folder(params string[] files)
        {
            var listed = files.ToDictionary(file => file, _ => new ManifestFile(0, ""));
            return new("v1", root, new VersionManifest("v1", DateTimeOffset.UnixEpoch, description, listed), Table);
        }

        var loader = new RecommenderLoader();
        Assert.Equal("retrieval", loader.Name);
        Assert.Null(loader.Load(Folder(), Table));
        using var part = loader.Load(Folder("retrieval/config.json", "retrieval/model.safetensors"), Table);
        Assert.Equal(5, Assert.IsAssignableFrom<IRecommender>(part).Recommend(new RecommendQuery([1], 5), default).Count);
        Directory.Delete(root, true);
    }
}
