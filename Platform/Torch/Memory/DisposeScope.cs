using System.Runtime.InteropServices;
using static Recsys.Torch.torch;

namespace Recsys.Torch;

/// <summary>
/// Disposes what was made while it was the innermost scope of its thread, except what was moved out or detached. Entries are found
/// by the slot that a tensor carries, so that entering and leaving a scope costs no hashing.
/// </summary>
public sealed class DisposeScope : IDisposable
{
    private readonly List<IDisposable?> _entries = [];
    private readonly ThreadDisposeScopes _manager;
    private int _count;
    private int _busy; // held for a few instructions at a time: a monitor would cost more than what it guards
    private bool _disposed;

    internal DisposeScope(ThreadDisposeScopes manager)
    {
        _manager = manager;
    }

    /// <summary>A scope that was left undisposed and that nothing reaches any more: its tensors go with it.</summary>
    ~DisposeScope()
    {
        foreach (var entry in _entries)
        {
            (entry as Tensor)?.Abandon();
        }
    }

    internal DisposeScope? OuterScope { get; set; }

    /// <summary>How many undisposed objects the scope holds.</summary>
    public int DisposablesCount
    {
        get
        {
            using var _ = Enter();
            return _count;
        }
    }

    public IReadOnlyList<IDisposable> DisposablesView
    {
        get
        {
            using var _ = Enter();
            return _entries.OfType<IDisposable>().ToList();
        }
    }

    public bool Contains(IDisposable disposable)
    {
        using var _ = Enter();
        return Find(disposable) >= 0;
    }

    public T MoveToOuter<T>(T disposable)
        where T : IDisposable
    {
        Move(OuterScope, disposable);
        return disposable;
    }

    public (T1 first, T2 second) MoveToOuter<T1, T2>(T1 first, T2 second)
        where T1 : IDisposable
        where T2 : IDisposable => (MoveToOuter(first), MoveToOuter(second));

    public (T1 first, T2 second, T3 third) MoveToOuter<T1, T2, T3>(T1 first, T2 second, T3 third)
        where T1 : IDisposable
        where T2 : IDisposable
        where T3 : IDisposable => (MoveToOuter(first), MoveToOuter(second), MoveToOuter(third));

    public void MoveToOuter(params IDisposable[] disposables) => MoveToOther(OuterScope, disposables);

    public void MoveToOuter(IEnumerable<IDisposable> disposables) => MoveToOther(OuterScope, disposables);

    public T MoveToOther<T>(DisposeScope? scope, T disposable)
        where T : IDisposable
    {
        Move(scope, disposable);
        return disposable;
    }

    public void MoveToOther(DisposeScope? scope, params IDisposable[] disposables) => MoveToOther(scope, (IEnumerable<IDisposable>)disposables);

    public void MoveToOther(DisposeScope? scope, IEnumerable<IDisposable> disposables)
    {
        foreach (var d in disposables)
        {
            Move(scope, d);
        }
    }

    public T Detach<T>(T disposable)
        where T : IDisposable
    {
        Move(null, disposable);
        return disposable;
    }

    public void Detach(params IDisposable[] disposables) => MoveToOther(null, disposables);

    public void Detach(IEnumerable<IDisposable> disposables) => MoveToOther(null, disposables);

    /// <summary>Takes objects into this scope, out of whichever they were in.</summary>
    public T Attach<T>(T disposable)
        where T : IDisposable
    {
        if (disposable is Tensor t)
        {
            t.Scope?.Forget(t);
            _manager.StatisticsInstance.TensorStatistics.AttachedToScopeCount++;
        }

        Include(disposable);
        return disposable;
    }

    public void Attach(params IDisposable[] disposables)
    {
        foreach (var d in disposables)
        {
            Attach(d);
        }
    }

    /// <summary>Disposes everything in the scope now; the scope goes on.</summary>
    public void DisposeEverything() => DisposeEverythingBut();

    public void DisposeEverythingBut(params IDisposable[] keep)
    {
        IDisposable?[] doomed;
        using (Enter())
        {
            doomed = _entries.ToArray();
        }

        foreach (var d in doomed)
        {
            if (d is not null && !keep.Any(k => ReferenceEquals(k, d)))
            {
                Drop(d);
            }
        }
    }

    public void DisposeEverythingBut(IEnumerable<IDisposable> keep) => DisposeEverythingBut(keep.ToArray());

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        DisposeEverything();
        _manager.Remove(this);
        GC.SuppressFinalize(this);
    }

    internal void Include(IDisposable disposable)
    {
        using var _ = Enter();
        if (disposable is Tensor t)
        {
            t.Scope = this;
            t.Slot = _entries.Count;
            if (_disposed)
            {
                t.GuardWithoutScope(); // taken in too late: nobody will dispose this scope again
            }
        }

        _entries.Add(disposable);
        _count++;
    }

    /// <summary>Takes an object off the list without disposing it; false where it was not on it.</summary>
    internal bool Forget(IDisposable disposable)
    {
        using var _ = Enter();
        var at = Find(disposable);
        if (at < 0)
        {
            return false;
        }

        _entries[at] = null;
        _count--;
        if (disposable is Tensor t)
        {
            t.Scope = null;
        }

        if (at == _entries.Count - 1)
        {
            _entries.RemoveAt(at);
        }
        else if (_entries.Count > 64 && _count < _entries.Count / 2)
        {
            Compact();
        }

        return true;
    }

    private void Drop(IDisposable d)
    {
        if (d is not Tensor)
        {
            Forget(d);
        }

        d.Dispose(); // a tensor takes itself off the list
    }

    private int Find(IDisposable disposable)
    {
        if (disposable is Tensor t)
        {
            return t.Scope == this && t.Slot < _entries.Count && ReferenceEquals(_entries[t.Slot], t) ? t.Slot : -1;
        }

        return _entries.FindIndex(e => ReferenceEquals(e, disposable));
    }

    private void Compact()
    {
        var to = 0;
        foreach (var e in CollectionsMarshal.AsSpan(_entries))
        {
            if (e is not null)
            {
                if (e is Tensor t)
                {
                    t.Slot = to;
                }

                _entries[to++] = e;
            }
        }

        _entries.RemoveRange(to, _entries.Count - to);
    }

    private void Move(DisposeScope? scope, IDisposable disposable)
    {
        if (!Forget(disposable))
        {
            return;
        }

        if (scope is not null)
        {
            scope.Include(disposable);
        }
        else if (disposable is Tensor tensor)
        {
            tensor.GuardWithoutScope();
            _manager.StatisticsInstance.TensorStatistics.DetachedFromScopeCount++;
        }
    }

    private Busy Enter()
    {
        if (Interlocked.CompareExchange(ref _busy, 1, 0) != 0)
        {
            Wait();
        }

        return new Busy(this);
    }

    private void Wait()
    {
        var spin = default(SpinWait);
        do
        {
            spin.SpinOnce();
        }
        while (Interlocked.CompareExchange(ref _busy, 1, 0) != 0);
    }

    private readonly ref struct Busy(DisposeScope scope)
    {
        public void Dispose() => Volatile.Write(ref scope._busy, 0);
    }
}
