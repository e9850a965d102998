using Recsys.Catalog.Attributes;
using Recsys.Retrieval.Service;
using Likeness = Recsys.Catalog.Ports.Likeness;

namespace Recsys.Retrieval.Tests.Service;

/// <summary>A snapshot of five items whose model gives fixed answers and keeps what it was asked.</summary>
internal sealed class Fake : ISnapshots, ISnapshot, IRecommender
{
    public static readonly ItemTable Table = Attributed(Tiny.Table(5, [4, 4], 1), ["a", "brand", "price", "published"]);

    private static readonly AnswerQueue Queue = new(TimeProvider.System);

    public RetrievalService Service => new(this, Queue);

    public int Acquired { get; private set; }

    public int Released { get; private set; }

    public bool Empty { get; init; }

    public RecommendQuery? Query { get; private set; }

    public RecommendQuery? PopularQuery { get; private set; }

    public Likeness? By { get; private set; }

    public string Version => "v7";

    public ItemTable Items => Table;

    public SnapshotLease Acquire()
    {
        Acquired++;
        return new SnapshotLease(this, () => Released++);
    }

    public T? Find<T>()
        where T : class => Empty ? null : this as T;

    public IReadOnlyList<Recommendation> Popular(RecommendQuery query)
    {
        PopularQuery = query;
        Recommendation[] all = [new(2, Table.SemanticIds[2], -0.25, 0.75, []), new(0, Table.SemanticIds[0], -2, 0.1, [])];
        return [.. all.Take(query.K)];
    }

    public IReadOnlyList<Recommendation>[] RecommendBatch(IReadOnlyList<RecommendQuery> queries, CancellationToken cancel) =>
        [.. queries.Select(query => Recommend(query, cancel))];

    public IReadOnlyList<ItemExplanation> Explain(RecommendQuery query, IReadOnlyList<int> items, CancellationToken cancel) =>
    [
        .. items.Select(item => new ItemExplanation(
            new(item, Table.SemanticIds[item], -9 - item, 0.01, []),
            [.. Table.SemanticIds[item].Codes().Append(Table.SemanticIds[item].Collision)
                .Select((token, at) => new PathToken(token, -1, -at - 1, at + 1))],
            [new(1, 0.5), new(2, 0.25), new(0, 0.125), new(4, 0.0625)])),
    ];

    public IReadOnlyList<(int Item, double Score)> Similar(RecommendQuery query, Likeness by)
    {
        (Query, By) = (query, by);
        return [(4, 0.75), (0, 0.5)];
    }

    public IReadOnlyList<Recommendation> Recommend(RecommendQuery query, CancellationToken cancel)
    {
        Query = query;
        return
        [
            new(3, Table.SemanticIds[3], -1.5, 0.5, [new("id", 0.75, -1), new("generative", 0.25, -3)]),
            new(4, Table.SemanticIds[4], -2.5, 0.125, [new("generative", 1, -2.5)]),
        ];
    }

    private static ItemTable Attributed(ItemTable table, string[] names) => new(
        table.Ids, table.SemanticIds, table.Titles, table.CodebookSizes,
        new ItemAttributes(names, table.Ids.Select(_ => Array.ConvertAll(names, _ => ""))));
}
