namespace Recsys.Faiss.Tests;

public class HnswIndexTests
{
    private const int Dim = 9, Rows = 700, K = 8;
    private static readonly float[] Base = Points.Clustered(Rows, Dim, seed: 2), Queries = Points.Clustered(60, Dim, seed: 3);

    /// <summary>With a breadth that makes it exact on this little data.</summary>
    internal static HnswIndex Make(Metric metric) => new(Dim, metric, m: 32, efConstruction: 200) { EfSearch = 700 };

    [Theory]
    [InlineData(Metric.L2)]
    [InlineData(Metric.InnerProduct)]
    public void Search_finds_what_brute_force_finds_in_batches_and_one_by_one(Metric metric)
    {
        using var index = Make(metric);
        index.Add(Base.AsSpan(0, 300 * Dim));
        index.Add(Base.AsSpan(300 * Dim));
        Assert.Equal((Rows, Dim, metric), (index.Count, index.Dim, index.Metric));
        SearchResult all = index.Search(Queries, K);
        for (int q = 0; q < 60; q++)
        {
            var twin = Points.Nearest(Base, Points.Row(Queries, q, Dim), K, metric);
            Assert.Equal(twin.Select(t => t.Id), all.Ids.AsSpan(q * K, K).ToArray());
            Points.Near([.. twin.Select(t => (float)t.Distance)], all.Distances.AsSpan(q * K, K).ToArray(), 1e-5);
            Assert.Equal(all.Ids.AsSpan(q * K, K).ToArray(), index.Search(Points.Row(Queries, q, Dim), K).Ids);
        }
    }

    [Theory]
    [InlineData(Metric.L2)]
    [InlineData(Metric.InnerProduct)]
    public void More_neighbours_than_vectors_are_filled_with_minus_one(Metric metric)
    {
        using var index = Make(metric);
        float none = metric == Metric.L2 ? float.MaxValue : -float.MaxValue;
        SearchResult empty = index.Search(Points.Row(Queries, 0, Dim), 2);
        Assert.Equal([-1L, -1L], empty.Ids);
        Assert.Equal([none, none], empty.Distances);
        index.Add([]);
        index.Add(Base.AsSpan(0, Dim));
        Assert.Equal([0L, -1L, -1L], index.Search(Points.Row(Queries, 0, Dim), 3).Ids);
        Assert.Empty(index.Search([], 3).Ids);
    }

    /// <summary>FAISS's exact search of 20 queries and more is not: it computes |x|² − 2xy + |y|², which is off
    /// for vectors far from 0.</summary>
    [Fact]
    public void A_vector_far_from_0_is_at_distance_0_from_itself_in_a_call_of_many_queries()
    {
        float[] far = [.. Base.Select(value => value + 1000)];
        using var index = Make(Metric.L2);
        index.Add(far);
        SearchResult own = index.Search(far, 1);
        Assert.Equal(Enumerable.Range(0, Rows).Select(row => (long)row), own.Ids);
        Assert.All(own.Distances, distance => Assert.Equal(0, distance));
    }

    [Fact]
    public void HNSW_looks_at_k_candidates_at_least()
    {
        using var index = new HnswIndex(Dim, Metric.L2, m: 16) { EfSearch = 1 };
        index.Add(Base);
        Assert.DoesNotContain(-1L, index.Search(Queries, 500).Ids);
    }

    [Fact]
    public void More_candidates_find_more()
    {
        float[] many = Points.Gaussian(4000, Dim, seed: 4);
        using var graph = new HnswIndex(Dim, Metric.L2, m: 4, efConstruction: 10);
        graph.Add(many);
        double[] recalls = [.. new[] { 10, 40, 400 }.Select(ef =>
        {
            graph.EfSearch = ef;
            return Enumerable.Range(0, 60).Average(q => Points.Nearest(many, Points.Row(Queries, q, Dim), 10, Metric.L2).Select(t => t.Id)
                .Intersect(graph.Search(Points.Row(Queries, q, Dim), 10).Ids).Count() / 10.0);
        })];
        Assert.True(recalls[0] < recalls[1] && recalls[1] < recalls[2], string.Join(' ', recalls));
    }

    [Fact]
    public void Built_twice_the_graph_answers_the_same_and_built_on_all_threads_it_finds_as_much()
    {
        SearchResult Answer(bool parallel)
        {
            using var index = new HnswIndex(Dim, Metric.L2, m: 8) { ParallelBuild = parallel, EfSearch = 20 };
            index.Add(Base);
            return index.Search(Queries, K);
        }

        SearchResult first = Answer(parallel: false);
        Assert.Equal(first.Ids, Answer(parallel: false).Ids);
        Assert.True(first.Ids.Zip(Answer(parallel: true).Ids).Count(pair => pair.First == pair.Second) > .9 * first.Ids.Length);
    }

    [Fact]
    public async Task Searches_at_once_answer_as_one_after_the_other_while_vectors_are_added()
    {
        using var index = Make(Metric.L2);
        index.Add(Base);
        long[] alone = index.Search(Queries, K).Ids;
        float[] far = [.. Base.Select(value => value + 1000)];
        var searches = Enumerable.Range(0, 8).Select(_ => Task.Run(() => index.Search(Queries, K).Ids)).ToList();
        await Task.Run(() => index.Add(far));
        Assert.All(await Task.WhenAll(searches), ids => Assert.Equal(alone, ids));
        Assert.Equal(2 * Rows, index.Count);
    }

    [Fact]
    public void Wrong_arguments_are_typed_errors_that_name_the_value()
    {
        using var index = new HnswIndex(3, Metric.L2);
        Points.Refuses("number of values is 4, but must be a multiple of the dimension 3", () => index.Add(new float[4]));
        Points.Refuses("vectors to add: row 1, component 0 is NaN", () => index.Add([1, 2, 3, float.NaN, 5, 6]));
        Points.Refuses("queries: row 0, component 2 is Infinity", () => index.Search([1, 2, float.PositiveInfinity], 1));
        Points.Refuses("k is 0", () => index.Search([1, 2, 3], 0));
        Points.Refuses("M is 1", () => new HnswIndex(3, Metric.L2, m: 1).Dispose());
        Points.Refuses("efSearch is 0", () => index.EfSearch = 0);
        Points.Refuses("dimension is -1", () => new HnswIndex(-1, Metric.L2).Dispose());
        Assert.Equal(0, index.Count);
    }
}
