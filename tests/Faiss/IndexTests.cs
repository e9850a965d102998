namespace Recsys.Faiss.Tests;

public sealed class IndexTests
{
    private const int Dim = IndexKinds.Dim;

    [Theory]
    [InlineData("IVF8,Flat", Metric.L2, 1.0)]
    [InlineData("IVF8,Flat", Metric.InnerProduct, 1.0)]
    [InlineData("HNSW16", Metric.L2, 0.98)]
    [InlineData("HNSW16", Metric.InnerProduct, 0.9)]
    [InlineData("PQ8x8", Metric.L2, 0.9)]
    [InlineData("RQ6x5", Metric.L2, 0.6)]
    [InlineData("RQ6x5", Metric.InnerProduct, 0.6)]
    [InlineData("IVF8,PQ8x8", Metric.L2, 0.9)]
    public void Nearest_neighbours_are_those_of_an_exact_search(string description, Metric metric, double recall)
    {
        float[] data = KMeansTests.Gaussian(1500, seed: 1), queries = KMeansTests.Gaussian(200, seed: 2);
        using var exact = new FlatIndex(Dim, metric);
        exact.Add(data);
        using var index = VectorIndex.Create(description, Dim, metric);
        index.Train(data);
        index.Add(data);
        switch (index)
        {
            case IvfIndex inverted: inverted.Probes = 8; break; // all lists
            case HnswIndex graph: graph.SearchCandidates = 128; break;
        }

        SearchResult wanted = exact.Search(queries, 10), found = index.Search(queries, 10);

        double hits = Enumerable.Range(0, 200).Average(q => wanted.LabelsOf(q).ToArray().Intersect(found.LabelsOf(q).ToArray()).Count() / 10.0);
        Assert.True(hits >= recall, $"{description}: recall {hits}");
    }

    [Theory]
    [MemberData(nameof(IndexKinds.All), MemberType = typeof(IndexKinds))]
    public void Given_ids_are_the_labels_and_what_was_added_before_keeps_its_position(string description)
    {
        using var index = IndexKinds.Filled(description, count: 100);
        float[] more = KMeansTests.Gaussian(50, seed: 9);
        index.AddWithIds(more, [.. Enumerable.Range(0, 50).Select(i => 1_000_000_000_000L + i)]);
        using var positions = IndexKinds.Filled(description, count: 100);
        positions.Add(more);

        long[] named = index.Search(more, 3).Labels, counted = positions.Search(more, 3).Labels;

        Assert.True(index.HasOwnIds);
        Assert.Equal(150, index.Count);
        Assert.Equal(counted.Select(label => label >= 100 ? 1_000_000_000_000L + label - 100 : label), named);
        Assert.Contains("give ids", Assert.Throws<FaissException>(() => index.Add(more)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(IndexKinds.All), MemberType = typeof(IndexKinds))]
    public void Removed_ids_are_never_found_again(string description)
    {
        using var index = VectorIndex.Create(description, Dim);
        float[] data = KMeansTests.Gaussian(400, seed: 3);
        index.Train(data);
        index.AddWithIds(data, [.. Enumerable.Range(0, 400).Select(i => 7L * i)]);
        long[] doomed = [.. Enumerable.Range(0, 400).Where(i => i % 3 == 0).Select(i => 7L * i)];

        Assert.Equal(doomed.Length, index.Remove([.. doomed, 5, 123_456]));

        Assert.Equal(400 - doomed.Length, index.Count);
        Assert.Equal(0, index.Remove(doomed));
        if (index is IvfIndex inverted)
        {
            inverted.Probes = inverted.Lists;
        }

        Assert.Empty(index.Search(data, 20).Labels.Intersect(doomed));
        index.AddWithIds(data.AsSpan(0, Dim), [0]);
        Assert.Contains(0L, index.Search(data.AsSpan(0, Dim), (int)index.Count).Labels);
    }

    [Fact]
    public void Without_own_ids_the_vectors_behind_a_removed_one_move_up_as_in_FAISS()
    {
        using var index = new FlatIndex(1);
        index.Add([10, 20, 30, 40]);
        Assert.Equal(1, index.Remove([1]));
        Assert.Equal([1L, 2L, 0L], index.Search([29], 3).Labels);
        index.Add([50]);
        Assert.Equal(3L, index.Search([50], 1).Labels[0]);
    }

    [Fact]
    public void An_inverted_file_that_lost_vectors_takes_only_ids_from_then_on()
    {
        using var index = IndexKinds.Filled("IVF8,Flat");
        index.Remove([0]);
        Assert.Contains("would repeat", Assert.Throws<FaissException>(() => index.Add(new float[Dim])).Message, StringComparison.Ordinal);
        index.AddWithIds(new float[Dim], [300]);
    }

    [Theory]
    [InlineData(Metric.L2, "Flat")]
    [InlineData(Metric.InnerProduct, "Flat")]
    [InlineData(Metric.L2, "IVF8,Flat")]
    public void A_range_search_finds_all_within_the_radius(Metric metric, string description)
    {
        float[] data = KMeansTests.Gaussian(300, seed: 1), queries = KMeansTests.Gaussian(30, seed: 2);
        using var index = IndexKinds.Filled(description, metric);
        if (index is IvfIndex inverted)
        {
            inverted.Probes = 8;
        }

        RangeResult result = index.SearchRange(queries, 4);

        Assert.Equal(31, result.Limits.Length);
        for (int q = 0; q < 30; q++)
        {
            double Score(int i) => metric == Metric.L2
                ? KMeansTests.Squared(queries.AsSpan(q * Dim, Dim), data.AsSpan(i * Dim, Dim))
                : Enumerable.Range(0, Dim).Sum(j => (double)queries[(q * Dim) + j] * data[(i * Dim) + j]);
            var within = Enumerable.Range(0, 300).Where(i => metric == Metric.L2 ? Score(i) < 4 : Score(i) > 4).OrderBy(i => metric == Metric.L2 ? Score(i) : -Score(i));
            Assert.Equal(within.Select(i => (long)i), result.LabelsOf(q).ToArray());
        }
    }

    [Theory]
    [MemberData(nameof(IndexKinds.All), MemberType = typeof(IndexKinds))]
    public void Same_seed_gives_the_same_answers_and_so_do_parallel_searches(string description)
    {
        float[] queries = KMeansTests.Gaussian(64, seed: 6);
        using VectorIndex one = IndexKinds.Filled(description), other = IndexKinds.Filled(description);
        SearchResult expected = one.Search(queries, 5);

        Assert.Equal(expected.Labels, other.Search(queries, 5).Labels);
        Assert.Equal(expected.Distances, other.Search(queries, 5).Distances);
        Parallel.For(0, 8, _ => Assert.Equal(expected.Labels, one.Search(queries, 5).Labels));
    }

    [Fact]
    public void Adding_while_others_search_is_safe_and_every_answer_is_of_a_whole_index()
    {
        using var index = new FlatIndex(Dim);
        float[] data = KMeansTests.Gaussian(64, seed: 8);
        index.Add(data);
        Parallel.For(0, 64, i =>
        {
            if (i % 4 == 0)
            {
                index.Add(data);
            }
            else
            {
                SearchResult found = index.Search(data, 1);
                Assert.All(found.Distances, distance => Assert.InRange(distance, 0, 1e-4));
            }
        });
        Assert.Equal(64 * 17, index.Count);
    }

    [Theory]
    [MemberData(nameof(IndexKinds.All), MemberType = typeof(IndexKinds))]
    public void Wrong_vectors_are_typed_errors_and_change_nothing(string description)
    {
        using var index = IndexKinds.Filled(description);
        float[] query = new float[Dim];
        SearchResult before = index.Search(KMeansTests.Gaussian(20, seed: 4), 5);

        Refuses("whole rows", () => index.Add(new float[Dim + 1]));
        Refuses("row 0, component 2 is not finite", () => index.Add([0, 0, float.NaN, 0, 0, 0, 0, 0]));
        Refuses("beyond 1e15", () => index.Add([0, 0, 1e30f, 0, 0, 0, 0, 0]));
        Refuses("2 ids for 1 vectors", () => index.AddWithIds(query, [1, 2]));
        Refuses("id -1 of row 0 is negative", () => index.AddWithIds(query, [-1]));
        Refuses("whole rows", () => index.Search(new float[3], 1));
        Refuses("not finite", () => index.Search([0, 0, float.NegativeInfinity, 0, 0, 0, 0, 0], 1));
        Refuses("k is 0", () => index.Search(query, 0));
        Refuses("k is -5", () => index.Search(query, -5));
        Refuses("k is 301 but the index holds 300", () => index.Search(query, 301));
        Refuses("radius NaN", () => index.SearchRange(query, float.NaN));
        Refuses("held already", () => index.Train(query));

        Assert.Equal(300, index.Count);
        Assert.False(index.HasOwnIds);
        Assert.Equal(before.Labels, index.Search(KMeansTests.Gaussian(20, seed: 4), 5).Labels);
        index.Dispose();
        index.Dispose();
        Assert.Throws<ObjectDisposedException>(() => index.Search(query, 1));
        Assert.Throws<ObjectDisposedException>(() => index.Add(query));
        Assert.Throws<ObjectDisposedException>(() => index.Remove([1]));
        Assert.Throws<ObjectDisposedException>(() => index.Save("nowhere"));
    }

    [Theory]
    [InlineData("PQ4x6", 64)]
    [InlineData("RQ3x5", 32)]
    [InlineData("IVF8,Flat", 8)]
    [InlineData("IVF8,PQ4x6", 64)]
    public void An_untrained_index_says_so_and_can_still_be_trained_after_too_few_vectors(string description, int least)
    {
        using var index = VectorIndex.Create(description, Dim);
        Assert.False(index.IsTrained);
        Refuses("not trained; call Train first", () => index.Add(new float[Dim]));
        Refuses("not trained; call Train first", () => index.SearchRange(new float[Dim], 1)); // FAISS itself would end the process over an inverted file
        Refuses($"{least - 1} vectors are too few: {least} are the least", () => index.Train(KMeansTests.Gaussian(least - 1, seed: 1)));
        if (index is QuantizerIndex codec)
        {
            Refuses("not trained", () => codec.Encode(new float[Dim]));
            Refuses("not trained", () => codec.Decode(new byte[codec.CodeBytes]));
            Refuses("not trained", () => codec.Codebooks());
        }

        index.Train(KMeansTests.Gaussian(least, seed: 1));
        Assert.True(index.IsTrained);
        index.Add(KMeansTests.Gaussian(10, seed: 2));
    }

    [Fact]
    public void What_a_kind_cannot_do_is_a_typed_error()
    {
        using var graph = IndexKinds.Filled("HNSW8");
        Refuses("range search", () => graph.SearchRange(new float[Dim], 1));
        using var inverted = (IvfIndex)IndexKinds.Filled("IVF8,Flat");
        Refuses("probes 0 must be between 1 and 8", () => inverted.Probes = 0);
        Refuses("probes 9", () => inverted.Probes = 9);
    }

    [Theory]
    [InlineData("Flat", "Flat")]
    [InlineData("PQ4", "PQ4x8")]
    [InlineData("PQ2x4", "PQ2x4")]
    [InlineData("RQ4x6", "RQ4x6")]
    [InlineData("IVF16,Flat", "IVF16,Flat")]
    [InlineData("IVF16,PQ4", "IVF16,PQ4x8")]
    [InlineData("HNSW32,Flat", "HNSW32")]
    public void A_description_makes_the_index_it_names(string description, string name)
    {
        using var index = VectorIndex.Create(description, Dim, Metric.InnerProduct);
        Assert.Equal((name, Dim, Metric.InnerProduct, 0L), (index.Description, index.Dim, index.Metric, index.Count));
    }

    [Theory]
    [InlineData("")]
    [InlineData("LSH")]
    [InlineData("IVF64")]
    [InlineData("IVF0,Flat")]
    [InlineData("IVF99999999999999,Flat")]
    [InlineData("IVF2000000,Flat")]
    [InlineData("PQ3")]
    [InlineData("PQ0")]
    [InlineData("PQ4x13")]
    [InlineData("IVF4,PQ4x9")]
    [InlineData("RQ65x8")]
    [InlineData("RQ64x12")]
    [InlineData("HNSW1")]
    [InlineData("HNSW513")]
    [InlineData("Flat\n")]
    public void Another_description_or_a_number_out_of_range_is_a_typed_error(string description) =>
        Assert.Throws<FaissException>(() => VectorIndex.Create(description, Dim));

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(65_537)]
    [InlineData(int.MaxValue)]
    public void A_dimension_out_of_range_is_a_typed_error(int dim) =>
        Assert.All(IndexKinds.Names, kind => Assert.Throws<FaissException>(() => VectorIndex.Create(kind, dim)));

    private static void Refuses(string part, Action action) => Assert.Contains(part, Assert.Throws<FaissException>(action).Message, StringComparison.Ordinal);
}
