namespace Recsys.Faiss.Tests;

public class FlatIndexTests
{
    private const int Dim = 8;

    [Theory]
    [InlineData(Metric.L2, 3)]
    [InlineData(Metric.L2, 64)]
    [InlineData(Metric.InnerProduct, 3)]
    [InlineData(Metric.InnerProduct, 64)]
    public void Search_equals_brute_force(Metric metric, int queries)
    {
        float[] data = KMeansTests.Gaussian(700, seed: 1);
        float[] asked = KMeansTests.Gaussian(queries, seed: 2);
        using var index = new FlatIndex(Dim, metric);
        index.Add(data.AsSpan(0, 300 * Dim));
        index.Add(data.AsSpan(300 * Dim));
        Assert.Equal(700, index.Count);
        SearchResult result = index.Search(asked, 10);
        for (int q = 0; q < queries; q++)
        {
            float[] query = asked[(q * Dim)..((q + 1) * Dim)];
            double Score(int i) => metric == Metric.L2
                ? KMeansTests.Squared(query, data.AsSpan(i * Dim, Dim))
                : -query.Select((v, j) => (double)v * data[i * Dim + j]).Sum();
            int[] expected = [.. Enumerable.Range(0, 700).OrderBy(Score).Take(10)];
            Assert.Equal(expected.Select(i => (long)i), result.LabelsOf(q).ToArray());
            for (int j = 0; j < 10; j++)
            {
                Assert.Equal(metric == Metric.L2 ? Score(expected[j]) : -Score(expected[j]), (double)result.DistancesOf(q)[j], 1e-4);
            }
        }
    }

    [Fact]
    public void Equal_vectors_come_in_the_order_of_their_labels()
    {
        using var index = new FlatIndex(2);
        index.Add([1, 1, 5, 5, 1, 1, 1, 1]);
        SearchResult result = index.Search([1, 1], 4);
        Assert.Equal([0L, 2L, 3L, 1L], result.Labels);
        Assert.Equal([0f, 0f, 0f, 32f], result.Distances);
    }

    [Fact]
    public void Parallel_searches_answer_the_same()
    {
        using var index = new FlatIndex(Dim);
        index.Add(KMeansTests.Gaussian(500, seed: 4));
        float[] queries = KMeansTests.Gaussian(16, seed: 5);
        long[] expected = index.Search(queries, 5).Labels;
        long[][] answers = new long[16][];
        Parallel.For(0, answers.Length, i => answers[i] = index.Search(queries, 5).Labels);
        Assert.All(answers, a => Assert.Equal(expected, a));
    }

    [Fact]
    public void No_queries_give_no_answers()
    {
        using var index = new FlatIndex(2);
        index.Add([1, 1]);
        Assert.Empty(index.Search([], 1).Labels);
    }

    [Fact]
    public void Wrong_arguments_are_typed_errors_and_change_nothing()
    {
        using var index = new FlatIndex(2);
        Assert.Throws<FaissException>(() => new FlatIndex(0));
        Refuses("k is 1 but the index holds 0", () => index.Search([1, 2], 1));
        Refuses("3 values", () => index.Add([1, 2, 3]));
        Refuses("row 1, component 0 is not finite", () => index.Add([1, 2, float.PositiveInfinity, 4]));
        Assert.Equal(0, index.Count);
        index.Add([1, 2]);
        Refuses("k is 2", () => index.Search([1, 2], 2));
        Refuses("not finite", () => index.Search([1, float.NaN], 1));
        index.Dispose();
        Assert.Throws<ObjectDisposedException>(() => index.Search([1, 2], 1));
    }

    private static void Refuses(string part, Action action) => Assert.Contains(part, Assert.Throws<FaissException>(action).Message);
}
