using Recsys.Catalog.Attributes;
using Recsys.Retrieval.Decoding;

namespace Recsys.Retrieval.Tests.Decoding;

/// <summary>Filters that follow appended items and changed attributes, beside filters that are made anew.</summary>
public class LiveFilterTests
{
    private const int Base = 300; // items; fewer would be sorted anew with those that are appended

    private static readonly ItemFilter InStock = new(new NumberRange("stock", 1, null), new NoneOf("hidden", ["yes"]));

    [Theory]
    [InlineData(1, 7)]
    [InlineData(2, 60)] // layers are merged
    [InlineData(3, 700)] // the first one too
    public void Below_every_prefix_are_counted_those_that_a_filter_made_anew_counts(int seed, int appended)
    {
        var random = new Random(seed);
        var trie = new TrieLayers(WithStock(random));
        var filter = new TrieFilter(trie, trie.Items.Attributes.Passing(InStock, trie.Items.Count));
        int followed = 0;
        for (int round = 0; round < 25; round++)
        {
            var table = trie.Items;
            if (round % 3 != 1)
            {
                table = table.Append(
                    Enumerable.Range(0, random.Next(appended)).Select(_ => Fresh(table, random)).DistinctBy(item => item.SemanticId));
            }

            table = table.With(Enumerable.Range(0, random.Next(12)).Select(_ => Value(table, random)));
            trie = trie.With(table);
            var anew = new TrieFilter(trie, table.Attributes.Passing(InStock, table.Count));
            var next = filter.With(trie, InStock);
            followed += next is null ? 0 : 1;
            filter = next ?? anew;
            int[] passing = [.. Enumerable.Range(0, table.Count).Where(item => table.Attributes.Passes(InStock, item))];
            Assert.Equal(passing.Length <= 2048 ? passing : null, filter.Few);
            for (int item = 0; item < table.Count; item++)
            {
                Assert.Equal(anew.Passes(item), filter.Passes(item));
                for (int depth = 0; depth < trie.Depth; depth++)
                {
                    var owner = trie.OwnerOf(table.SemanticIds[item], depth);
                    Assert.Equal(anew.CountBelow(owner, depth), filter.CountBelow(owner, depth));
                }
            }
        }

        Assert.InRange(followed, 10, 25);
    }

    [Fact]
    public void A_recommender_answers_by_the_attributes_of_its_table_and_those_before_it_by_theirs()
    {
        var random = new Random(4);
        var table = WithStock(random);
        using var first = new Recommender(Tiny.Model(table, Tiny.Options, legs: [Tiny.Transitions(Base, 1), Tiny.Dense(Base, 1)]), table);
        var query = new RecommendQuery([3, 17, 40], 20) { Filter = InStock, Boosts = [new Boost(new NumberRange("stock", 2, null), 3)] };
        string[] said = Said(first, query);
        var chain = new List<Recommender> { first };
        for (int round = 0; round < 6; round++)
        {
            table = table.With(Enumerable.Range(0, 40).Select(_ => Value(table, random)));
            if (round == 3)
            {
                table = table.Append(Enumerable.Range(0, 9).Select(i => Fresh(table, random)).DistinctBy(item => item.SemanticId));
            }

            chain.Add((Recommender)chain[^1].WithItems(table));
            using var anew = new Recommender(
                Tiny.Model(Base0(), Tiny.Options, legs: [Tiny.Transitions(Base, 1), Tiny.Dense(Base, 1)]), table);
            Assert.Equal(Said(anew, query), Said(chain[^1], query));
            var found = chain[^1].Recommend(query, default);
            Assert.All(found, answer => Assert.True(table.Attributes.Passes(InStock, answer.Item)));
        }

        Assert.NotEqual(said, Said(chain[^1], query));
        Assert.Equal(said, Said(first, query));
        chain.AsEnumerable().Reverse().SkipLast(1).ToList().ForEach(recommender => recommender.Dispose());
    }

    private static ItemTable Base0() => Tiny.Table(Base, [6, 5, 4], 2);

    private static string[] Said(Recommender recommender, RecommendQuery query) =>
        [.. recommender.Recommend(query, default).Select(answer => $"{answer.Item} {answer.Score:R} {answer.Probability:R}")];

    private static ItemTable WithStock(Random random)
    {
        var table = Base0();
        string[][] rows = [.. Enumerable.Range(0, Base).Select(_ => new[] { $"{random.Next(3)}", random.Next(4) == 0 ? "yes" : "" })];
        return new(table.Ids, table.SemanticIds, table.Titles, table.CodebookSizes, new ItemAttributes(["stock", "hidden"], rows));
    }

    private static AppendedItem Fresh(ItemTable table, Random random)
    {
        var id = new SemanticId([(ushort)random.Next(6), (ushort)random.Next(5), (ushort)random.Next(4)]);
        while (table.TryIndex(id, out _))
        {
            id = id.WithCollision((ushort)(id.Collision + 1));
        }

        return new AppendedItem($"new {id}", id, "");
    }

    private static LiveValue Value(ItemTable table, Random random) => new(
        table.Ids[random.Next(table.Count)], random.GetItems(["stock", "hidden", "colour"], 1)[0],
        random.GetItems(["0", "1", "5", "yes", "", null], 1)[0], DateTimeOffset.UnixEpoch);
}
