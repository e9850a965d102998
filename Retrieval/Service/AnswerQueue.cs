namespace Recsys.Retrieval.Service;

/// <summary>
/// Answers the queries of many calls together: what waits when a decoder gets free is decoded at once. There is a decoder for each core,
/// which computes on that core alone: the many small operators of a decoding, shared by several, wait for one another more than they
/// compute. Nobody waits for others to come. A call that cannot be answered in time is refused when it comes, not after it has waited.
/// </summary>
public sealed class AnswerQueue : IDisposable
{
    /// <summary>Queries that wait at most, and that are decoded together at most.</summary>
    public const int MaxWaiting = 512, MaxTogether = 64;

    /// <summary>The share of the newest batch in the running mean of their times.</summary>
    private const double Newest = 0.2;

    /// <summary>What the first batch is taken to last, in seconds: it warms the process up.</summary>
    private const double FirstSeconds = 0.1;

    private readonly object _turn = new();
    private readonly List<Waiting> _waiting = [];
    private readonly TimeProvider _time;
    private readonly Thread[] _decoders;
    private double? _seconds; // of a batch, running mean
    private int _busy; // decoders at work
    private bool _stopped;

    /// <param name="time">Measures batches, and tells what is left of a deadline.</param>
    /// <param name="decoders">Batches that are decoded side by side; null: as many as libtorch computes with threads.</param>
    public AnswerQueue(TimeProvider time, int? decoders = null)
    {
        _time = time;
        _decoders = [.. Enumerable.Range(0, decoders ?? get_num_threads()).Select(_ => ComputeThreads.Start(nameof(AnswerQueue), Run))];
    }

    /// <summary>Decoders at work.</summary>
    internal int Busy
    {
        get
        {
            lock (_turn)
            {
                return _busy;
            }
        }
    }

    /// <param name="recommender">Must live until the task has ended.</param>
    /// <param name="deadline">UTC; when the caller stops waiting.</param>
    /// <param name="cancel">Ends the task before its decoding begins, or once every query that is decoded with it is cancelled.</param>
    /// <returns>Fails as <see cref="IRecommender.Recommend"/> does, and with ResourceExhausted where too many wait, or so many that the
    /// deadline would pass.</returns>
    public Task<IReadOnlyList<Recommendation>> Answer(
        IRecommender recommender, RecommendQuery query, DateTime deadline, CancellationToken cancel)
    {
        var added = new Waiting(recommender, query, cancel);
        lock (_turn)
        {
            ObjectDisposedException.ThrowIf(_stopped, this);
            var (expected, left) = (Expected(), deadline - _time.GetUtcNow().UtcDateTime);
            if (_waiting.Count == MaxWaiting)
            {
                return Refused($"{MaxWaiting} requests wait for this server, as many as may.", expected);
            }

            // Where a decoder is free the query is tried: the mean may be of worse times.
            if ((IsFull || _waiting.Count > 0) && left < expected)
            {
                return Refused(
                    $"{_waiting.Count} requests wait for this server; an answer is expected in {expected.TotalMilliseconds:F0} ms, and the "
                    + $"deadline is in {Math.Max(0, left.TotalMilliseconds):F0} ms.",
                    expected);
            }

            _waiting.Add(added);
            Monitor.Pulse(_turn);
        }

        return added.Answer.Task;
    }

    /// <summary>Ends what waits, once the batches at work are done.</summary>
    public void Dispose()
    {
        lock (_turn)
        {
            _stopped = true;
            Monitor.PulseAll(_turn);
        }

        Array.ForEach(_decoders, decoder => decoder.Join());
        _waiting.ForEach(waiting => waiting.Answer.TrySetCanceled());
    }

    private static Task<IReadOnlyList<Recommendation>> Refused(string message, TimeSpan expected) =>
        Task.FromException<IReadOnlyList<Recommendation>>(CatalogException.Busy(
            $"{message} Call again in {expected.TotalMilliseconds:F0} ms, or another server.", expected));

    private TimeSpan Expected() => TimeSpan.FromSeconds((_seconds ?? FirstSeconds) * ((_waiting.Count / MaxTogether) + (IsFull ? 2 : 1)));

    private bool IsFull => _busy == _decoders.Length;

    private void Run()
    {
        while (Next() is { } batch)
        {
            long started = _time.GetTimestamp();
            Decode(batch);
            double seconds = _time.GetElapsedTime(started).TotalSeconds;
            lock (_turn)
            {
                (_busy, _seconds) = (_busy - 1, (Newest * seconds) + ((1 - Newest) * (_seconds ?? seconds)));
            }
        }
    }

    /// <summary>The query that has waited longest, with those that are decoded alike: no short answer waits for a long one of its
    /// batch.</summary>
    /// <returns>Null: the queue has stopped.</returns>
    private List<Waiting>? Next()
    {
        lock (_turn)
        {
            while (!_stopped)
            {
                _waiting.RemoveAll(waiting => waiting.Cancel.IsCancellationRequested && waiting.Answer.TrySetCanceled(waiting.Cancel));
                if (_waiting.Count > 0)
                {
                    var first = _waiting[0];
                    var batch = _waiting.Where(first.IsAlike).Take(MaxTogether).ToList();
                    var taken = batch.ToHashSet();
                    _waiting.RemoveAll(taken.Contains);
                    _busy++;
                    return batch;
                }

                Monitor.Wait(_turn);
            }

            return null;
        }
    }

    private static void Decode(List<Waiting> batch)
    {
        using var nobody = new CancellationTokenSource(); // is waiting any more
        int left = batch.Count;
        var watches = batch.ConvertAll(waiting => waiting.Cancel.Register(() =>
        {
            if (Interlocked.Decrement(ref left) == 0)
            {
                nobody.Cancel();
            }
        }));
        try
        {
            var answers = batch[0].Recommender.RecommendBatch(batch.ConvertAll(waiting => waiting.Query), nobody.Token);
            foreach (var (waiting, answer) in batch.Zip(answers))
            {
                waiting.Answer.SetResult(answer);
            }
        }
        catch (OperationCanceledException) when (nobody.IsCancellationRequested)
        {
            batch.ForEach(waiting => waiting.Answer.SetCanceled(waiting.Cancel));
        }
        catch (CatalogException) when (batch.Count > 1)
        {
            batch.ForEach(waiting => Decode([waiting])); // one of them is refused, the others have their answers
        }
        catch (Exception e)
        {
            batch.ForEach(waiting => waiting.Answer.SetException(e)); // each call fails with it
        }
        finally
        {
            watches.ForEach(watch => watch.Dispose());
        }
    }

    private sealed class Waiting(IRecommender recommender, RecommendQuery query, CancellationToken cancel)
    {
        public IRecommender Recommender => recommender;

        public RecommendQuery Query => query;

        public CancellationToken Cancel => cancel;

        public TaskCompletionSource<IReadOnlyList<Recommendation>> Answer { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsAlike(Waiting other) =>
            other.Recommender == recommender && other.Query.K == query.K && other.Query.Beam == query.Beam;
    }
}
