using Recsys.Catalog.Attributes;
using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Legs.Transitions;

namespace Recsys.Retrieval.Tests.Decoding;

public sealed class SimilarItemsTests : IDisposable
{
    private const int Base = 300, All = 320;

    private static readonly ItemTable Table = Coloured(Tiny.Table(Base, [6, 5, 4], 3));
    private static readonly ItemTable Grown = Table.Append(Enumerable.Range(0, All - Base).Select(
        i => new AppendedItem($"new{i}", new SemanticId([(ushort)(i % 6), (ushort)(i % 5), (ushort)(i % 4)], (ushort)(40 + i)), "")));

    private readonly DenseLeg _content = Tiny.Dense(Base, 2, DenseLeg.Content);
    private readonly TransitionLeg _transitions = Tiny.Transitions(Base, 1);
    private readonly Recommender _first, _recommender;

    public SimilarItemsTests()
    {
        _first = new Recommender(Tiny.Model(Table, Tiny.Options, legs: [_transitions, Tiny.Dense(Base, 1), _content]), Table);
        _recommender = (Recommender)_first.WithItems(Grown);
    }

    public static TheoryData<RecommendQuery> Queries => new()
    {
        new RecommendQuery([7], 5), new RecommendQuery([7], 1000), new RecommendQuery([Base - 1], 40) { Exclude = [1, 2, 3, 305] },
        new RecommendQuery([12], 1000) { Candidates = [.. Enumerable.Range(0, All).Where(item => item % 2 == 0)] },
        new RecommendQuery([12], 1000) { Filter = new ItemFilter(new AnyOf("colour", ["red"])) },
    };

    [Theory]
    [MemberData(nameof(Queries))]
    public void By_codes_come_those_that_share_most_of_them_from_the_first_on(RecommendQuery query)
    {
        int asked = query.History[0];
        float[] cosines = new NearVectors(_content, NewItems.None).Cosines(asked, [.. Enumerable.Range(0, Base)]);
        int Shared(int item) => Enumerable.Range(0, 3)
            .TakeWhile(level => Grown.SemanticIds[item][level] == Grown.SemanticIds[asked][level]).Count();
        var expected = Legal(query).Where(item => Shared(item) > 0).OrderByDescending(Shared)
            .ThenByDescending(item => item < Base ? cosines[item] : float.NegativeInfinity).ThenBy(item => item).Take(query.K);
        Assert.Equal(expected.Select(item => (item, (double)Shared(item))), _recommender.Similar(query, Likeness.Codes));
    }

    [Theory]
    [MemberData(nameof(Queries))]
    public void By_content_come_those_of_the_largest_cosine(RecommendQuery query)
    {
        using var vectors = Vectors(_content);
        double Cosine(int item)
        {
            var (a, b) = (vectors[query.History[0]].to(ScalarType.Float64), vectors[item].to(ScalarType.Float64));
            return (a.dot(b) / (a.norm() * b.norm())).item<double>();
        }

        var found = _recommender.Similar(query, Likeness.Content);
        int[] legal = [.. Legal(query).Where(item => item < Base)];
        Assert.Equal(Math.Min(query.K, legal.Length), found.Count);
        Assert.Equal(legal.OrderByDescending(Cosine).Take(query.K), found.Select(similar => similar.Item));
        Assert.All(found, similar => Assert.Equal(Cosine(similar.Item), similar.Score, 1e-5));
    }

    [Theory]
    [MemberData(nameof(Queries))]
    public void By_transitions_come_those_that_followed_with_most_evidence(RecommendQuery query)
    {
        var evidence = Legal(query).Where(item => item < Base)
            .Select(item => (Item: item, Score: _transitions.Reasons(query.History, item).Sum(reason => reason.Part)))
            .Where(similar => similar.Score > 0).OrderByDescending(similar => similar.Score).ThenBy(similar => similar.Item).Take(query.K);
        Assert.Equal(evidence, _recommender.Similar(query, Likeness.Transitions));
    }

    [Fact]
    public void What_cannot_be_compared_is_a_failed_precondition()
    {
        void Refused(Recommender recommender, int item, Likeness by) => Assert.Equal(
            Fault.FailedPrecondition,
            Assert.Throws<CatalogException>(() => recommender.Similar(new RecommendQuery([item], 5), by)).Fault);
        Refused(_recommender, Base, Likeness.Content);
        Assert.Empty(_recommender.Similar(new RecommendQuery([Base], 5), Likeness.Transitions));
        Assert.NotEmpty(_recommender.Similar(new RecommendQuery([Base], 5), Likeness.Codes));
        using var alone = new Recommender(Tiny.Model(Table, Tiny.Options), Table);
        Refused(alone, 1, Likeness.Content);
        Refused(alone, 1, Likeness.Transitions);
        Assert.Equal(5, alone.Similar(new RecommendQuery([1], 5), Likeness.Codes).Count);
        Assert.Throws<CatalogException>(() => alone.Similar(new RecommendQuery([1, 2], 5), Likeness.Codes));
        Assert.Throws<CatalogException>(() => alone.Similar(new RecommendQuery([Base], 5), Likeness.Codes));
    }

    public void Dispose()
    {
        _recommender.Dispose();
        _first.Dispose();
    }

    private static IEnumerable<int> Legal(RecommendQuery query) => Enumerable.Range(0, All).Where(item =>
        item != query.History[0] && !query.Exclude.Contains(item) && query.Candidates?.Contains(item) != false
        && (query.Filter is null || (item < Base && item % 3 == 0)));

    private static Tensor Vectors(DenseLeg leg)
    {
        using var folder = new TemporaryFolder();
        leg.Save(folder.Path);
        return ModelFiles.Load<DenseConfig, Tensor>(
            folder.Path, Json.Files, _ => [], CatalogException.Damaged,
            (_, state) => state.Take("vectors", ScalarType.Float32, Base + 1, leg.Config.Options.Dim).DetachFromDisposeScope());
    }

    private static ItemTable Coloured(ItemTable table) => new(
        table.Ids, table.SemanticIds, table.Titles, table.CodebookSizes,
        new ItemAttributes(["colour"], Enumerable.Range(0, Base).Select(item => new[] { item % 3 == 0 ? "red" : "blue" })));
}
