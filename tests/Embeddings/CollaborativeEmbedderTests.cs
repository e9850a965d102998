using Recsys.Catalog;
using Recsys.Embeddings.Collaborative;

namespace Recsys.Embeddings.Tests;

public class CollaborativeEmbedderTests
{
    [Fact]
    public void Positive_pmi_is_that_computed_by_hand()
    {
        // Window 1. Ordered pairs: 0-1 ×2 each way, 1-2 ×1 each way, 3-4 ×1 each way: n = 8.
        var pmi = PositivePmi.Of(Sequences([0, 1], [1, 0], [2, 1], [3, 4]), 1, 6);
        Assert.Equal(Math.Log(2 * 8.0 / (2 * 3)), TfIdfTests.At(pmi, 0, 1), 5);
        Assert.Equal(Math.Log(1 * 8.0 / (1 * 3)), TfIdfTests.At(pmi, 2, 1), 5);
        Assert.Equal(TfIdfTests.At(pmi, 1, 2), TfIdfTests.At(pmi, 2, 1));
        Assert.Equal(Math.Log(1 * 8.0 / (1 * 1)), TfIdfTests.At(pmi, 3, 4), 5);
        Assert.Equal(0, TfIdfTests.At(pmi, 0, 2));
        Assert.Equal(0, TfIdfTests.At(pmi, 5, 5));
    }

    [Fact]
    public void Pairs_count_up_to_the_window_and_never_across_users()
    {
        // Window 2: 0-1, 1-2, 0-2, 2-3, 1-3 but not 0-3; nothing joins 3 to the next user's 4.
        var pmi = PositivePmi.Of(Sequences([0, 1, 2, 3], [4, 5]), 2, 6);
        Assert.True(TfIdfTests.At(pmi, 0, 2) > 0);
        Assert.Equal(0, TfIdfTests.At(pmi, 0, 3));
        Assert.Equal(0, TfIdfTests.At(pmi, 3, 4));
        Assert.True(TfIdfTests.At(pmi, 4, 5) > 0);
    }

    [Fact]
    public void Counts_weaker_than_chance_give_zero()
    {
        // 0 and 1 are frequent but meet once among many other meetings.
        var pmi = PositivePmi.Of(Sequences([0, 1], [0, 2], [0, 2], [0, 2], [1, 3], [1, 3], [1, 3]), 1, 4);
        Assert.Equal(0, TfIdfTests.At(pmi, 0, 1));
        Assert.True(TfIdfTests.At(pmi, 0, 2) > 0);
    }

    [Fact]
    public void Held_out_targets_change_nothing()
    {
        var (one, other) = (new LeaveOneOut(RandomSequences(3)), new LeaveOneOut(RandomSequences(4)));
        Assert.NotEqual(one.Sha256, other.Sha256);
        var options = new CollaborativeEmbeddingOptions(Dim: 8);
        var (a, b) = (CollaborativeEmbedder.Embed(one.Train, 50, options, 1), CollaborativeEmbedder.Embed(other.Train, 50, options, 1));
        Assert.Equal(a.Data, b.Data);
        Assert.Equal(a.Present, b.Present);
        Assert.NotEqual(a.Data, CollaborativeEmbedder.Embed(one.All, 50, options, 1).Data);
    }

    [Fact]
    public void Items_without_training_neighbours_lack_a_vector()
    {
        var vectors = CollaborativeEmbedder.Embed(Sequences([0, 1, 0], [2]), 4, new CollaborativeEmbeddingOptions(), 1);
        Assert.Equal([true, true, false, false], vectors.Present);
    }

    [Fact]
    public void An_item_that_nobody_took_changes_neither_the_vectors_nor_the_space()
    {
        var options = new CollaborativeEmbeddingOptions(Dim: 8);
        var sequences = RandomSequences(3);
        var before = CollaborativeEmbedder.Embed(sequences, 50, options, 1);
        var shifted = new SequenceSet(sequences.Users, sequences.Offsets, [.. sequences.Items.Select(item => item + (item < 20 ? 0 : 1))]);
        var after = CollaborativeEmbedder.Embed(shifted, 51, options, 1);
        Assert.False(after.Present[20]);
        Assert.Equal<IEnumerable<float>>(before.Data, after.Data.Where((_, i) => i / 8 != 20));
        Assert.Equal(before.Space, after.Space);
        Assert.NotEqual(before.Space, CollaborativeEmbedder.Embed(RandomSequences(4), 50, options, 1).Space);
        Assert.NotEqual(before.Space, CollaborativeEmbedder.Embed(sequences, 50, options with { Window = 4 }, 1).Space);
    }

    [Fact]
    public void Items_bought_in_the_same_company_are_near()
    {
        var vectors = CollaborativeEmbedder.Embed(
            Sequences([0, 1, 2], [0, 2, 1], [3, 4, 5], [5, 3, 4]), 6, new CollaborativeEmbeddingOptions(Dim: 2), 1);
        Assert.True(TfIdfEmbedderTests.Cosine(vectors, 0, 1) > 0.9);
        Assert.True(Math.Abs(TfIdfEmbedderTests.Cosine(vectors, 0, 3)) < 0.01);
    }

    [Fact]
    public void An_item_index_outside_the_catalogue_is_refused()
    {
        var error = Assert.Throws<CatalogException>(
            () => CollaborativeEmbedder.Embed(Sequences([0, 9]), 5, new CollaborativeEmbeddingOptions(), 1));
        Assert.Contains("item index 9", error.Message, StringComparison.Ordinal);
    }

    // Equal training parts whatever the seed; only the last two items of each user differ.
    private static SequenceSet RandomSequences(int seed)
    {
        var (shared, held) = (new Random(1), new Random(seed));
        return Sequences([.. Enumerable.Range(0, 40).Select(_ =>
            Enumerable.Range(0, 6).Select(_ => shared.Next(50)).Concat([held.Next(50), held.Next(50)]).ToArray())]);
    }

    private static SequenceSet Sequences(params int[][] users)
    {
        var offsets = new int[users.Length + 1];
        for (int user = 0; user < users.Length; user++)
        {
            offsets[user + 1] = offsets[user] + users[user].Length;
        }

        return new SequenceSet([.. users.Select((_, user) => $"u{user}")], offsets, [.. users.SelectMany(u => u)]);
    }
}
