using Recsys.Catalog;
using Recsys.Quantizer.Audit;
using Recsys.Quantizer.Encoding;

namespace Recsys.Quantizer.Tests;

public class NeighboursTests
{
    [Fact]
    public void Neighbours_are_those_of_a_brute_force_search()
    {
        var x = Blobs.Make("x", 120, 5, 9, 1).Data;
        var neighbours = Neighbours.Of(x, 5, 7, sample: 30, seed: 2);
        Assert.Equal(30, neighbours.Queries.Distinct().Count());
        foreach (var (query, found) in neighbours.Queries.Zip(neighbours.Items))
        {
            Assert.Equal(Nearest(x, x, 5, query).Take(7), found);
        }
    }

    [Fact]
    public void Without_shared_codes_recall_is_the_overlap_of_two_brute_force_lists()
    {
        const int n = 100, dim = 4, k = 6;
        var x = Blobs.Make("x", n, dim, 8, 3).Data;
        var random = new Random(4);
        float[] moved = [.. x.Select(value => value + (0.4f * (random.NextSingle() - 0.5f)))];
        var alone = CodeGroups.From([.. Enumerable.Range(0, n).Select(i => new SemanticId([(ushort)i]))]);
        double expected = Enumerable.Range(0, n).Average(query =>
            Nearest(x, x, dim, query).Take(k).Intersect(Nearest(moved, moved, dim, query).Take(k)).Count() / (double)k);
        var neighbours = Neighbours.Of(x, dim, k, n, 1);
        Assert.InRange(expected, 0.2, 0.95);
        Assert.Equal(expected, neighbours.Recall(moved, dim, alone), 6);
        Assert.Equal(1, neighbours.Recall(x, dim, alone), 6);
    }

    [Fact]
    public void Items_of_one_tuple_count_with_the_share_of_them_that_fits()
    {
        // 0 and 1 share a tuple, 2 to 5 another. Of item 0 the four nearest are 1, 2, 3, 4; by reconstruction 1 fits, and three of four.
        float[] x = [0, 1, 2, 3, 4, 5, 50, 60], centre = [0.5f, 0.5f, 3.5f, 3.5f, 3.5f, 3.5f, 50, 60];
        var groups = CodeGroups.From([.. new ushort[] { 0, 0, 1, 1, 1, 1, 2, 3 }.Select((code, i) => new SemanticId([code], (ushort)i))]);
        Assert.Equal([2, 4, 1, 1], groups.Sizes);
        var all = Neighbours.Of(x, 1, 4, 8, 1);
        Assert.Equal([1, 2, 3, 4], all.Items[0]);
        Assert.Equal((1 + (3 * 0.75)) / 4, One(x, centre, groups, 0), 6);
        // Of item 2 they are 1, 3, 0, 4. By reconstruction its own three come first, and 0 and 1 share the last place.
        Assert.Equal((1 + 1 + 0.5 + 0.5) / 4, One(x, centre, groups, 2), 6);
    }

    [Fact]
    public void Random_reconstructions_find_neighbours_by_chance()
    {
        const int n = 400;
        var x = Blobs.Make("x", n, 6, 1, 5, noise: 1).Data;
        var other = Blobs.Make("x", n, 6, 1, 6, noise: 1).Data;
        var alone = CodeGroups.From([.. Enumerable.Range(0, n).Select(i => new SemanticId([(ushort)i]))]);
        Assert.Equal(10.0 / (n - 1), Neighbours.Of(x, 6, 10, n, 1).Recall(other, 6, alone), tolerance: 0.015);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    public void So_few_items_have_as_many_neighbours_as_there_are_others(int n, int others)
    {
        var neighbours = Neighbours.Of(new float[n * 3], 3, 10, 5, 1);
        Assert.Equal(others, neighbours.K);
        var groups = CodeGroups.From([.. Enumerable.Range(0, n).Select(i => new SemanticId([(ushort)i]))]);
        Assert.Equal(others, neighbours.Recall(new float[n * 3], 3, groups));
    }

    // The recall of one query: all others' lists are full or empty alike whatever is asked, so it is asked alone.
    private static double One(float[] x, float[] centre, CodeGroups groups, int query)
    {
        for (long seed = 0; ; seed++)
        {
            var one = Neighbours.Of(x, 1, 4, 1, seed);
            if (one.Queries[0] == query)
            {
                return one.Recall(centre, 1, groups);
            }
        }
    }

    private static IEnumerable<int> Nearest(float[] points, float[] x, int dim, int query) => Enumerable.Range(0, points.Length / dim)
        .Where(item => item != query)
        .OrderBy(item => Enumerable.Range(0, dim).Sum(k => Math.Pow(points[(item * dim) + k] - (double)x[(query * dim) + k], 2)))
        .ThenBy(item => item);
}
