namespace Recsys.Retrieval.Tests.Service;

/// <summary>A recommender that answers with the history's own item, each batch once it is let through.</summary>
internal sealed class Gated : IRecommender
{
    /// <summary>Items that no batch may have, and that break it.</summary>
    public const int Wrong = -1, Broken = -2;

    private readonly SemaphoreSlim _open = new(0), _here = new(0);

    public List<int> Batches { get; } = [];

    public List<int> Threads { get; } = [];

    public List<int> ComputeThreads { get; } = [];

    /// <summary>Lets batches through.</summary>
    public void Open(int batches) => _open.Release(batches);

    /// <summary>Returns once the next batch has come.</summary>
    public void WaitForBatch() => _here.Wait();

    public IReadOnlyList<Recommendation>[] RecommendBatch(IReadOnlyList<RecommendQuery> queries, CancellationToken cancel)
    {
        lock (_open)
        {
            Batches.Add(queries.Count);
            Threads.Add(Environment.CurrentManagedThreadId);
            ComputeThreads.Add(get_num_threads());
        }

        _here.Release();
        _open.Wait(CancellationToken.None);
        cancel.ThrowIfCancellationRequested();
        if (queries.Any(query => query.History[0] == Broken))
        {
            throw new InvalidOperationException("broken");
        }

        return queries.Any(query => query.History[0] == Wrong)
            ? throw CatalogException.Invalid("wrong")
            : [.. queries.Select(query => (IReadOnlyList<Recommendation>)
                [new Recommendation(query.History[0], new SemanticId([1], 0), 0, 0, [])])];
    }

    public IReadOnlyList<Recommendation> Recommend(RecommendQuery query, CancellationToken cancel) =>
        throw new InvalidOperationException("not used");

    public IReadOnlyList<Recommendation> Popular(RecommendQuery query) => throw new InvalidOperationException("not used");

    public IReadOnlyList<ItemExplanation> Explain(RecommendQuery query, IReadOnlyList<int> items, CancellationToken cancel) =>
        throw new InvalidOperationException();

    public IReadOnlyList<(int Item, double Score)> Similar(RecommendQuery query, Likeness by) =>
        throw new InvalidOperationException("not used");
}

/// <summary>A clock that stands still until it is moved.</summary>
internal sealed class SteppedClock : TimeProvider
{
    private long _ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public void Advance(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);

    public override long GetTimestamp() => Interlocked.Read(ref _ticks);

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddTicks(GetTimestamp());
}
