using Recsys.Retrieval.Decoding;
using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Legs.Generative;

namespace Recsys.Retrieval.Tests.Decoding;

/// <summary>A table that grew by appends answers as one that was made of the same items at once.</summary>
public class TrieLayersTests
{
    private static readonly int[] Sizes = [6, 5, 4];

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 2)]
    [InlineData(false, 3)]
    public void Appended_tables_answer_as_a_rebuild_of_the_whole_table(bool dense, int seed)
    {
        var (first, batches) = Batches(300, [1, 1, 40, 7, 300, 2, 1], seed);
        var options = Tiny.Options with { DenseInputs = dense };
        var sum = new LegSum(new Dictionary<string, double> { [DenseLeg.Id] = 0.6, [GenerativeLeg.LegName] = 0.4 }, -1, 1, 1);
        RetrievalModel Model() => dense
            ? Tiny.Model(first, options, seed, [Tiny.Dense(first.Count, seed)], sum)
            : Tiny.Model(first, options, seed);
        using var recommender = new Recommender(Model(), first);
        AllAnswersAgree(recommender, batches, Model);
    }

    [Fact]
    public void Equal_scores_stand_in_the_same_order_however_the_table_grew()
    {
        // Every token of a level is as likely as the next, so items differ by nothing but the documented order.
        RetrievalModel Uniform(ItemTable items) => Tiny.Model(items, Tiny.Options, uniform: true);

        var (first, batches) = Batches(280, [3, 1, 290, 60], 5);
        using var recommender = new Recommender(Uniform(first), first);
        AllAnswersAgree(recommender, batches, () => Uniform(first));

        var all = recommender.Recommend(new RecommendQuery([1], 1000), default);
        Assert.Single(all.Select(answer => answer.Score).Distinct());
        Assert.Equal(Enumerable.Range(0, 280), all.Select(answer => answer.Item));
    }

    [Fact]
    public void Every_item_is_sorted_a_few_times_however_many_appends_there_are()
    {
        const int Appends = 3000;
        var table = Tiny.Table(5000, [16, 16, 16], 1);
        var layers = new TrieLayers(table);
        long start = layers.Indexed;
        var ids = Fresh(table, Appends, 2, [16, 16, 16]);
        int most = 0;
        for (int i = 0; i < Appends; i++)
        {
            table = table.Append([new AppendedItem($"new{i}", ids[i], "")]);
            layers = layers.With(table);
            most = Math.Max(most, layers.Layers);
        }

        Assert.Equal(5000, start);
        Assert.Equal(5000 + Appends, layers.Leaves);
        // Rebuilding each time would be 3,000 · 6,500 = 19.5 million; up to 255 young ones are sorted with each append, older ones rarely.
        Assert.InRange(layers.Indexed - start, Appends, Appends * (256L + 64));
        Assert.InRange(most, 2, 4);
    }

    [Fact]
    public void The_work_of_an_append_does_not_grow_with_the_catalogue()
    {
        (long Indexed, int Read) Work(int items)
        {
            var plain = Tiny.Table(items, [32, 32, 32], 3);
            var ids = new CountingList<SemanticId>(plain.SemanticIds);
            var table = new ItemTable(plain.Ids, ids, plain.Titles, plain.CodebookSizes);
            var layers = new TrieLayers(table);
            ids.Read = 0;
            var grown = layers.With(table.Append([new AppendedItem("new", Fresh(plain, 1, 4, [32, 32, 32])[0], "")]));
            return (grown.Indexed - layers.Indexed, ids.Read);
        }

        Assert.Equal((1, 0), Work(3000));
        Assert.Equal((1, 0), Work(12_000));
    }

    /// <summary>Counts the elements that are looked at.</summary>
    private sealed class CountingList<T>(IReadOnlyList<T> list) : IReadOnlyList<T>
    {
        public int Read { get; set; }

        public int Count => list.Count;

        public T this[int index]
        {
            get
            {
                Read++;
                return list[index];
            }
        }

        public IEnumerator<T> GetEnumerator()
        {
            for (int i = 0; i < Count; i++)
            {
                yield return this[i];
            }
        }

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }

    [Fact]
    public void Children_are_those_that_may_be_entered_by_their_tokens_each_with_the_first_trie_that_has_it()
    {
        SemanticId[] ids =
        [
            new([0, 1]), new([0, 3]), new([2, 0]), new([2, 0], 1),
            .. Enumerable.Range(0, 300).Select(code => new SemanticId([1, (ushort)code])), // fewer would become one trie with what comes
        ];
        var first = new TrieLayers(new ItemTable([.. ids.Select(id => id.ToString())], ids, [.. ids.Select(_ => "")], [4, 300]));
        int added = ids.Length;
        var table = first.Items.Append(
            [new("a", new SemanticId([0, 2]), ""), new("b", new SemanticId([0, 3], 1), ""), new("c", new SemanticId([3, 0]), "")]);
        var layers = first.With(table);
        List<TrieChild> Children(int depth, int[]? nodes, Admission? admission = null)
        {
            var children = new List<TrieChild> { new(9, 9, 9) }; // what is there stays
            layers.Children(depth, nodes, PrefixFilter.Of(layers, admission), children);
            return children[1..];
        }

        var roots = Children(0, null);
        Assert.Equal([(0, 0), (1, 0), (2, 0), (3, 1)], roots.Select(child => (child.Token, child.Layer)));
        int[] at = layers.Follow(0, null, roots[0]);
        Assert.Equal([0, 0], at); // the prefix 0 stands in both tries
        Assert.Equal([(1, 0), (2, 1), (3, 0)], Children(1, at).Select(child => (child.Token, child.Layer)));
        Assert.Equal([1, 3], Children(1, at, Admission.AllBut([added])).Select(child => child.Token));
        Assert.Equal([2], Children(1, at, Admission.OnlyOf([added, added + 2])).Select(child => child.Token));
        Assert.Equal([0, 3], Children(0, null, Admission.OnlyOf([added, added + 2])).Select(child => child.Token));
        int[] both = layers.Follow(1, at, Children(1, at)[2]);
        Assert.Equal([(0, 0), (1, 1)], Children(2, both).Select(child => (child.Token, child.Layer)));
        Assert.Equal([1, added + 1], Children(2, both).Select(child => layers.ItemOf(layers.Follow(2, both, child))));
        Assert.Equal([-1, 1], layers.Follow(0, null, roots[3])); // the first trie does not have it
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Items_beyond_the_known_collision_tokens_are_found_with_the_probability_of_the_last_known_one(int levels)
    {
        int[] sizes = levels == 1 ? [6] : [6, 5];
        var table = Tiny.Table(30, sizes, 8);
        using var recommender = new Recommender(Tiny.Model(table, Tiny.Options), table);
        using var twin = Tiny.Model(table, Tiny.Options);
        ushort[] codes = table.SemanticIds[0].Codes();
        var all = table.Append(
            Enumerable.Range(20, 200).Select(token => new AppendedItem($"n{token}", new SemanticId(codes, (ushort)token), "")));
        using var grown = (Recommender)recommender.WithItems(all);
        var found = grown.Recommend(new RecommendQuery([3, 229], 1000), default);
        var expected = Tiny.ScoreAll(twin, all, [3, 229]); // reads a token beyond as the last known one
        Assert.Equal(
            Enumerable.Range(0, 230).OrderByDescending(item => (float)expected[item]).Select(item => expected[item]),
            found.Select(answer => answer.Score), (a, b) => Math.Abs(a - b) < 1e-4);
        Assert.Equal(Enumerable.Range(0, 230), found.Select(answer => answer.Item).Order());
        Assert.Equal(Enumerable.Range(73, 157), found.Select(answer => answer.Item).Where(item => item >= 73)); // tokens from 63 on tie
        Assert.Equal(
            223, grown.Recommend(new RecommendQuery([200, 201, 202, 203, 204, 205, 206], 1000, 0, ExcludeSeen: true), default).Count);
    }

    private static void AllAnswersAgree(Recommender recommender, List<AppendedItem[]> batches, Func<RetrievalModel> model)
    {
        var parts = new List<Recommender> { recommender };
        foreach (var batch in batches)
        {
            var table = parts[^1].Items.Append(batch);
            parts.Add((Recommender)parts[^1].WithItems(table));
            var whole = new ItemTable([.. table.Ids], [.. table.SemanticIds], [.. table.Titles], Sizes);
            using var rebuilt = new Recommender(model(), whole);
            int last = table.Count - 1;
            RecommendQuery[] queries =
            [
                new([3, last, 5], 1, 1), new([last, last - 1], 7), new([3, 17, 8], 1000),
                new([.. Enumerable.Range(0, table.Count).Where(item => item % 5 < 3 || item > last - 3)], 30, 30, ExcludeSeen: true),
                new([last, 2, 3], 1000, 0, ExcludeSeen: true),
            ];
            foreach (var query in queries)
            {
                var (grew, expected) = (parts[^1].Recommend(query, default), rebuilt.Recommend(query, default));
                Assert.Equal(expected.Select(answer => answer.Item), grew.Select(answer => answer.Item));
                Assert.All(expected.Zip(grew), pair => Assert.Equal(pair.First.Score, pair.Second.Score, 1e-5));
            }
        }

        parts.Skip(1).ToList().ForEach(part => part.Dispose());
    }

    private static (ItemTable First, List<AppendedItem[]> Batches) Batches(int first, int[] sizes, int seed)
    {
        // One table cut into pieces, so that appended items share prefixes with earlier ones and collide with them.
        var whole = Tiny.Table(first + sizes.Sum(), Sizes, seed);
        var table = new ItemTable([.. whole.Ids.Take(first)], [.. whole.SemanticIds.Take(first)], [.. whole.Titles.Take(first)], Sizes);
        var batches = new List<AppendedItem[]>();
        for (int from = first, i = 0; i < sizes.Length; from += sizes[i++])
        {
            batches.Add(
                [.. Enumerable.Range(from, sizes[i]).Select(item => new AppendedItem(whole.Ids[item], whole.SemanticIds[item], ""))]);
        }

        return (table, batches);
    }

    private static List<SemanticId> Fresh(ItemTable table, int count, int seed, int[] sizes)
    {
        var (random, used, fresh) = (new Random(seed), table.SemanticIds.ToHashSet(), new List<SemanticId>());
        while (fresh.Count < count)
        {
            var id = new SemanticId([.. sizes.Select(size => (ushort)random.Next(size))]);
            while (!used.Add(id))
            {
                id = id.WithCollision((ushort)(id.Collision + 1));
            }

            fresh.Add(id);
        }

        return fresh;
    }
}
