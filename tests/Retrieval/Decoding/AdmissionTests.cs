using System.Collections;
using Recsys.Catalog.Attributes;
using Recsys.Retrieval.Decoding;
using Recsys.Retrieval.Legs.Dense;

namespace Recsys.Retrieval.Tests.Decoding;

public class AdmissionTests
{
    private const int Base = 300; // items; fewer would be sorted anew with those that are appended

    private static readonly int[] History = [3, 17, 3, 40];

    /// <summary>A table of 300 items, and the same with 20 appended in three batches: two tries.</summary>
    private static readonly ItemTable Table = With(
        Tiny.Table(Base, [6, 5, 4], 2), new ItemAttributes(["colour"], Enumerable.Range(0, Base).Select(item => new[] { Colour(item) })));
    private static readonly AppendedItem[][] Appended = [.. Enumerable.Range(0, 20)
        .Select(i => new AppendedItem($"new{i}", (i % 2 == 0 ? Table.SemanticIds[i * 3] : Codes(i)).WithCollision((ushort)(30 + i)), ""))
        .Chunk(7)];

    public static TheoryData<bool, bool, int> Cases => new()
    {
        { false, false, 1 }, { false, true, 2 }, { true, false, 3 }, { true, true, 4 }, { true, true, 5 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_wide_beam_answers_with_what_filtering_the_whole_ranking_leaves(bool legs, bool grown, int seed)
    {
        using var made = Made(legs, grown);
        var recommender = made.Last;
        var all = recommender.Recommend(new RecommendQuery(History, 1000), default);
        Assert.Equal(recommender.Items.Count, all.Count);
        var queries = Queries(recommender.Items.Count, seed, k: 1000);
        var together = recommender.RecommendBatch(queries, default);
        for (int i = 0; i < queries.Length; i++)
        {
            var expected = all.Where(answer => Legal(queries[i], answer.Item)).ToList();
            foreach (var found in new[] { recommender.Recommend(queries[i], default), together[i] })
            {
                Assert.Equal(expected.Select(answer => answer.Item), found.Select(answer => answer.Item));
                Assert.All(expected.Zip(found), pair => Assert.Equal(pair.First.Score, pair.Second.Score, 1e-4));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_narrow_beam_finds_as_many_items_as_are_wanted_where_so_many_may_be_answered(bool legs, bool grown, int seed)
    {
        using var made = Made(legs, grown);
        int items = made.Last.Items.Count;
        foreach (var query in Queries(items, seed, k: 4))
        {
            var found = made.Last.Recommend(query with { Beam = 4 }, default);
            int legal = Enumerable.Range(0, items).Count(item => Legal(query, item));
            Assert.Equal(Math.Min(4, legal), found.Select(answer => answer.Item).Distinct().Count());
            Assert.All(found, answer => Assert.True(Legal(query, answer.Item)));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Below_every_prefix_are_counted_the_items_that_pass_in_whichever_trie_they_are(int seed)
    {
        int[] sizes = [6, 5, 4, 64];
        var table = Table.Append(Appended.SelectMany(batch => batch));
        var first = new TrieLayers(Table);
        var trie = first.With(table);
        Assert.Equal(2, trie.Layers);
        var random = new Random(seed);
        var passing = new BitArray([.. Enumerable.Range(0, table.Count).Select(_ => random.Next(8) == 0)]);
        var filter = new TrieFilter(trie, passing);
        foreach (var id in table.SemanticIds)
        {
            for (int depth = 0; depth < trie.Depth; depth++)
            {
                bool Below(int item) => Enumerable.Range(0, depth + 1)
                    .All(at => ItemTrie.Token(table.SemanticIds[item], at) == ItemTrie.Token(id, at));
                int expected = Enumerable.Range(0, table.Count).Count(item => passing[item] && Below(item));
                Assert.Equal(expected, filter.CountBelow(trie.OwnerOf(id, depth), depth));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Few_candidates_are_all_scored_as_they_are_in_the_whole_ranking(bool legs, bool grown, int seed)
    {
        using var made = Made(legs, grown);
        var all = made.Last.Recommend(new RecommendQuery(History, 1000), default).ToDictionary(answer => answer.Item);
        int[] some = [.. new Random(seed).GetItems([.. all.Keys], 30).Append(made.Last.Items.Count - 1).Distinct()];
        var found = made.Last.Recommend(new RecommendQuery(History, 40) { Candidates = some }, default);
        Assert.Equal(some.Order(), found.Select(answer => answer.Item).Order());
        Assert.All(found, answer => Assert.Equal(all[answer.Item].Score, answer.Score, 1e-4));
    }

    [Fact]
    public void Without_a_leg_that_decodes_appended_items_fill_what_the_others_leave()
    {
        using var first = new Recommender(Tiny.Model(Table, [Tiny.Transitions(Base, 1), Tiny.Dense(Base, 1)]), Table);
        using var grown = (Recommender)first.WithItems(Table.Append(Appended.SelectMany(batch => batch)));
        var query = new RecommendQuery(History, 5) { Candidates = [Base + 10, Base + 1, 7, 40], Exclude = [Base + 1] };
        var found = grown.Recommend(query, default);
        Assert.Equal([7, 40, Base + 10], found.Select(answer => answer.Item).Order());
        Assert.Equal(Base + 10, found[^1].Item);
        Assert.All(found, answer => Assert.True(double.IsFinite(answer.Score) && double.IsFinite(answer.Probability)));
        Assert.DoesNotContain(grown.Recommend(new RecommendQuery(History, Base), default), answer => answer.Item >= Base);
    }

    [Fact]
    public void More_filters_than_are_remembered_and_unknown_attributes_leave_right_answers()
    {
        using var made = Made(legs: true, grown: true);
        var query = new RecommendQuery(History, 1000);
        var expected = made.Last.Recommend(query with { Filter = Is("green") }, default);
        Assert.All(expected, answer => Assert.Equal("green", Colour(answer.Item)));
        Parallel.For(0, 300, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
        {
            if (i % 2 == 0)
            {
                Assert.Throws<CatalogException>(() => made.Last.Recommend(
                    query with { Filter = new ItemFilter(new AnyOf($"a{i}", ["x"])) }, default));
            }

            Assert.Equal(
                Tiny.Text(expected), Tiny.Text(made.Last.Recommend(query with { Filter = Is("green", $"g{i}") }, default)));
        });
    }

    [Fact]
    public void Indexes_outside_the_catalogue_are_refused()
    {
        using var recommender = new Recommender(Tiny.Model(Table, Tiny.Options), Table);
        Assert.Throws<CatalogException>(() => recommender.Recommend(new RecommendQuery(History, 5) { Exclude = [Base] }, default));
        Assert.Throws<CatalogException>(() => recommender.Recommend(new RecommendQuery(History, 5) { Candidates = [-1] }, default));
    }

    private static ItemFilter Not(params string[] colours) => new(new NoneOf("colour", colours));

    private static ItemFilter Is(params string[] colours) => new(new AnyOf("colour", colours));

    private static SemanticId Codes(int i) => new([(ushort)(i % 6), (ushort)(i % 5), (ushort)(i % 4)]);

    private static string Colour(int item) => item < Base ? new[] { "red", "green", "grey", "red|blue" }[item % 7 % 4] : "";

    private static ItemTable With(ItemTable table, ItemAttributes attributes) =>
        new(table.Ids, table.SemanticIds, table.Titles, table.CodebookSizes, attributes);

    private static bool Legal(RecommendQuery query, int item) =>
        (query.Filter?.Conditions.Single().Passes(Colour(item)) ?? true) && !query.Exclude.Contains(item)
        && query.Candidates?.Contains(item) != false && !(query.ExcludeSeen && query.History.Contains(item));

    /// <summary>Nothing, most, few and all left out; of all items, some, one and none.</summary>
    private static RecommendQuery[] Queries(int items, int seed, int k)
    {
        var random = new Random(seed);
        int[] Some(int n) => random.GetItems([.. Enumerable.Range(0, items)], n);
        var query = new RecommendQuery(History, k);
        return
        [
            query, query with { Exclude = Some(3) }, query with { Exclude = Some(4 * items), ExcludeSeen = true },
            query with { Candidates = Some(5) }, query with { Candidates = Some(items), Exclude = Some(items / 2) },
            query with { Candidates = [items - 1] }, query with { Candidates = [.. History], ExcludeSeen = true },
            query with { Filter = Is("red") }, query with { Filter = Is("red"), Exclude = Some(items / 2), ExcludeSeen = true },
            query with { Filter = Is("blue"), Candidates = Some(items) }, query with { Filter = Is("pink") },
            query with { Filter = Not("red", "green") }, query with { Filter = Not("red"), Exclude = Some(items / 2) },
            query with { Filter = Not("red", "green", "grey") }, // what was appended alone
            query with { Candidates = [] }, query with { Exclude = [.. Enumerable.Range(0, items)] },
        ];
    }

    private static Chain Made(bool legs, bool grown)
    {
        var chain = new List<Recommender>
        {
            new(
                Tiny.Model(Table, Tiny.Options, legs: legs ? [Tiny.Transitions(Base, 1), Tiny.Dense(Base, 1, DenseLeg.Content)] : []),
                Table),
        };
        var table = Table;
        foreach (var batch in grown ? Appended : [])
        {
            table = table.Append(batch);
            chain.Add((Recommender)chain[^1].WithItems(table));
        }

        return new Chain(chain);
    }

    /// <summary>Recommenders that share a model; the last knows all items.</summary>
    private sealed record Chain(List<Recommender> All) : IDisposable
    {
        public Recommender Last => All[^1];

        public void Dispose()
        {
            foreach (var recommender in All.AsEnumerable().Reverse())
            {
                recommender.Dispose();
            }
        }
    }
}
