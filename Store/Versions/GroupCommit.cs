namespace Recsys.Store.Versions;

/// <summary>
/// Writes of many callers with one fsync: what waits while one is under way is written together by the next. Callers wait without a
/// thread; there is one thread while there is something to write.
/// </summary>
/// <param name="write">Writes all of it durably, or throws and has written nothing.</param>
internal sealed class GroupCommit<T>(Action<IReadOnlyList<T>> write)
{
    private readonly Lock _turn = new();
    private List<(IReadOnlyList<T> Values, TaskCompletionSource Done, CancellationToken Cancel)> _waiting = [];
    private bool _writing;

    /// <summary>Ends when the values are on disk. A call that is cancelled before its turn is not written.</summary>
    public Task WriteAsync(IReadOnlyList<T> values, CancellationToken cancel)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_turn)
        {
            _waiting.Add((values, done, cancel));
            if (!_writing)
            {
                _writing = true;
                Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            }
        }

        return done.Task;
    }

    private void Run()
    {
        while (Next() is { } batch)
        {
            batch.RemoveAll(one => one.Cancel.IsCancellationRequested && one.Done.TrySetCanceled(one.Cancel));
            try
            {
                if (batch.Count > 0)
                {
                    write([.. batch.SelectMany(one => one.Values)]);
                }

                batch.ForEach(one => one.Done.SetResult());
            }
            catch (Exception e)
            {
                batch.ForEach(one => one.Done.SetException(e)); // each call fails with it
            }
        }
    }

    private List<(IReadOnlyList<T> Values, TaskCompletionSource Done, CancellationToken Cancel)>? Next()
    {
        lock (_turn)
        {
            _writing = _waiting.Count > 0;
            var batch = _waiting;
            _waiting = [];
            return _writing ? batch : null;
        }
    }
}
