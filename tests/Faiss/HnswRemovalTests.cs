namespace Recsys.Faiss.Tests;

/// <summary>A graph that lost vectors against one built without them, and against an exact search.</summary>
public sealed class HnswRemovalTests : IDisposable
{
    private const int Dim = IndexKinds.Dim, Count = 3000;
    private static readonly float[] _data = KMeansTests.Gaussian(Count, seed: 1), _queries = KMeansTests.Gaussian(200, seed: 2);
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Theory]
    [InlineData(Metric.L2, 0.01)]
    [InlineData(Metric.L2, 0.5)]
    [InlineData(Metric.L2, 0.95)]
    [InlineData(Metric.InnerProduct, 0.5)]
    public void It_finds_as_much_as_a_graph_that_never_held_what_is_gone(Metric metric, double share)
    {
        var draw = new Random(5);
        bool[] gone = [.. Enumerable.Range(0, Count).Select(_ => draw.NextDouble() < share)];
        using HnswIndex index = Filled(metric), fresh = new(Dim, links: 12, metric: metric);
        Assert.Equal(gone.Count(lost => lost), index.Remove(Places(gone)));
        float[] kept = Kept(_data, gone);
        fresh.Add(kept);

        (double found, double wanted) = (Recall(index, kept), Recall(fresh, kept));

        Assert.Equal(fresh.Count, index.Count);
        Assert.True(found >= wanted - 0.01, $"recall {found:F4}, built without them {wanted:F4}");
    }

    [Fact]
    public void What_stays_is_reached_when_a_whole_region_between_goes()
    {
        // A line: every way from one end to the other leads through the middle.
        float[] line = [.. Enumerable.Range(0, 2000 * Dim).Select(at => at % Dim == 0 ? at / Dim : 0f)];
        using var index = new HnswIndex(Dim, links: 4);
        index.Add(line);
        Assert.Equal(1800, index.Remove([.. Enumerable.Range(100, 1800).Select(i => (long)i)]));

        float[] ends = [.. line.AsSpan(0, 100 * Dim), .. line.AsSpan(1900 * Dim, 100 * Dim)];
        Assert.Equal(Enumerable.Range(0, 200).Select(i => (long)i), index.Search(ends, 1).Labels);
    }

    [Fact]
    public void Ids_stay_and_positions_move_up_as_in_a_flat_index()
    {
        using HnswIndex counted = Filled(Metric.L2), named = new(Dim, links: 12);
        using FlatIndex exact = new(Dim), exactNamed = new(Dim);
        long[] ids = [.. Enumerable.Range(0, Count).Select(i => 10_000_000_000L - (i / 2))]; // each stands for two vectors
        exact.Add(_data);
        named.AddWithIds(_data, ids);
        exactNamed.AddWithIds(_data, ids);
        long[] places = [.. Enumerable.Range(0, Count).Where(i => i % 7 == 3).Select(i => (long)i)], some = [.. ids.Where(id => id % 5 == 0)];

        Assert.Equal(exact.Remove(places), counted.Remove(places));
        Assert.Equal(exactNamed.Remove(some), named.Remove(some));

        counted.SearchCandidates = named.SearchCandidates = 400;
        Assert.Equal(exact.Search(_queries, 1).Labels, counted.Search(_queries, 1).Labels);
        Assert.Equal(exactNamed.Search(_queries, 1).Labels, named.Search(_queries, 1).Labels);
        Assert.Equal(0, named.Remove(some));
    }

    [Fact]
    public void A_graph_that_lost_everything_starts_anew()
    {
        using var index = Filled(Metric.L2);
        Assert.Equal(Count, index.Remove([.. Enumerable.Range(0, Count).Select(i => (long)i)]));
        Assert.Equal(0, index.Count);
        index.Save(_file);
        using (var loaded = VectorIndex.Load(_file))
        {
            Assert.Equal(0, loaded.Count);
        }

        index.Add(_data);
        Assert.True(Recall(index, _data) > 0.95);
    }

    [Fact]
    public void Weeks_of_coming_and_going_do_not_wear_it_out()
    {
        using HnswIndex index = Filled(Metric.L2), fresh = new(Dim, links: 12);
        float[] held = _data;
        for (int day = 0; day < 25; day++)
        {
            var draw = new Random(day);
            bool[] gone = [.. Enumerable.Range(0, Count).Select(_ => draw.NextDouble() < 0.2)];
            index.Remove(Places(gone));
            float[] kept = Kept(held, gone), come = KMeansTests.Gaussian(Count - (kept.Length / Dim), seed: 100 + day);
            index.Add(come);
            held = [.. kept, .. come];
        }

        fresh.Add(held);
        (double found, double wanted) = (Recall(index, held), Recall(fresh, held));
        Assert.True(found >= wanted - 0.01, $"recall {found:F4}, built at once {wanted:F4}");
    }

    [Fact]
    public void The_file_holds_the_graph_as_it_is_now_and_the_same_at_every_run()
    {
        long[] doomed = [.. Enumerable.Range(0, Count).Where(i => i % 3 != 0).Select(i => (long)i)];
        using HnswIndex index = Filled(Metric.L2), again = Filled(Metric.L2);
        long before = index.Bytes;
        index.Remove(doomed);
        again.Remove(doomed);
        index.Save(_file);
        byte[] bytes = File.ReadAllBytes(_file);
        again.Save(_file);

        Assert.Equal(bytes, File.ReadAllBytes(_file)); // two threads and more repair it
        using var loaded = VectorIndex.Load(_file); // which follows every link
        Assert.Equal(index.Search(_queries, 10).Labels, loaded.Search(_queries, 10).Labels);
        Assert.True(loaded.Bytes < before * 0.5, $"{loaded.Bytes} bytes after, {before} before");
    }

    private static HnswIndex Filled(Metric metric)
    {
        var index = new HnswIndex(Dim, links: 12, metric: metric);
        index.Add(_data);
        return index;
    }

    private static long[] Places(bool[] gone) => [.. Enumerable.Range(0, gone.Length).Where(i => gone[i]).Select(i => (long)i)];

    private static float[] Kept(float[] data, bool[] gone) =>
        [.. Enumerable.Range(0, gone.Length).Where(i => !gone[i]).SelectMany(i => data[(i * Dim)..((i + 1) * Dim)])];

    private static double Recall(HnswIndex index, float[] data)
    {
        using var exact = new FlatIndex(Dim, index.Metric);
        exact.Add(data);
        index.SearchCandidates = 64;
        SearchResult wanted = exact.Search(_queries, 10), found = index.Search(_queries, 10);
        return Enumerable.Range(0, 200).Average(q => wanted.LabelsOf(q).ToArray().Intersect(found.LabelsOf(q).ToArray()).Count() / 10.0);
    }
}
