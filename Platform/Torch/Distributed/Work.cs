using Recsys.Torch.Distributed;
using Recsys.Torch.Native;
using static Recsys.Torch.Distributed.NativeMethods;

namespace Recsys.Torch;

/// <summary>A collective under way. Its tensors are not to be touched before <see cref="wait"/> returns.</summary>
public sealed unsafe class Work : IDisposable
{
    private readonly ProcessGroup _group;
    private readonly string _what;
    private readonly Action? _after;
    private nint _handle;
    private bool _waited;

    internal Work(ProcessGroup group, nint handle, string what, Action? after = null) => (_group, _handle, _what, _after) = (group, handle, what, after);

    ~Work() => Free();

    public bool is_completed()
    {
        int done;
        Ok(rs_work_done(Handle, &done), _what);
        return done != 0;
    }

    /// <summary>Blocks until all ranks have done their part. On CUDA the current stream waits instead.</summary>
    /// <param name="timeout">Null: the group's own.</param>
    /// <exception cref="DistributedException">A rank died or fell silent (within a second of it), or the time is up.</exception>
    public void wait(TimeSpan? timeout = null)
    {
        if (_waited)
        {
            return;
        }

        var limit = timeout ?? _group.Timeout;
        Outcome outcome;
        Ok(rs_work_wait(Handle, (long)limit.TotalMilliseconds, &outcome), _what);
        GC.KeepAlive(this);
        if (outcome != Outcome.Done)
        {
            throw _group.Failure(outcome, _what, limit);
        }

        _waited = true;
        _after?.Invoke();
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private nint Handle => _handle != 0 ? _handle : throw new ObjectDisposedException(nameof(Work));

    private void Free()
    {
        var handle = Interlocked.Exchange(ref _handle, 0);
        if (handle != 0)
        {
            rs_work_free(handle);
        }
    }
}
