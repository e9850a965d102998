namespace Recsys.Torch;

/// <summary>The dispose scopes of one thread, innermost last, and its counts. TorchSharp calls it DisposeScopeManager.</summary>
public sealed class ThreadDisposeScopes
{
    [ThreadStatic]
    private static ThreadDisposeScopes? _singleton;

    internal static ThreadDisposeScopes ThreadSingleton => _singleton ??= new ThreadDisposeScopes();

    /// <summary>Counts of the calling thread; they return to where they were when every scope is left.</summary>
    public static ThreadDisposeScopeStatistics Statistics => ThreadSingleton.StatisticsInstance;

    internal ThreadDisposeScopeStatistics StatisticsInstance { get; } = new();

    internal DisposeScope? CurrentDisposeScope { get; private set; }

    internal static DisposeScope NewDisposeScope()
    {
        var manager = ThreadSingleton;
        var scope = new DisposeScope(manager) { OuterScope = manager.CurrentDisposeScope };
        manager.CurrentDisposeScope = scope;
        return scope;
    }

    /// <summary>Leaves a scope, wherever in the chain it stands.</summary>
    internal void Remove(DisposeScope scope)
    {
        if (CurrentDisposeScope == scope)
        {
            CurrentDisposeScope = scope.OuterScope;
            return;
        }

        for (var s = CurrentDisposeScope; s is not null; s = s.OuterScope)
        {
            if (s.OuterScope == scope)
            {
                s.OuterScope = scope.OuterScope;
                return;
            }
        }
    }
}

/// <summary>What the calling thread created and disposed, in scopes and outside.</summary>
public sealed class ThreadDisposeScopeStatistics
{
    public LifetimeStatistics TensorStatistics { get; } = new();

    public long CreatedOutsideScopeCount => TensorStatistics.CreatedOutsideScopeCount;

    public long DisposedOutsideScopeCount => TensorStatistics.DisposedOutsideScopeCount;

    public long CreatedInScopeCount => TensorStatistics.CreatedInScopeCount;

    public long DisposedInScopeCount => TensorStatistics.DisposedInScopeCount;

    public long AttachedToScopeCount => TensorStatistics.AttachedToScopeCount;

    public long DetachedFromScopeCount => TensorStatistics.DetachedFromScopeCount;

    public long ThreadTotalLiveCount => TensorStatistics.ThreadTotalLiveCount;

    public void Reset() => TensorStatistics.Reset();

    public override string ToString() => TensorStatistics.ToString();
}

public sealed class LifetimeStatistics
{
    public long CreatedOutsideScopeCount { get; internal set; }

    public long DisposedOutsideScopeCount { get; internal set; }

    public long CreatedInScopeCount { get; internal set; }

    public long DisposedInScopeCount { get; internal set; }

    public long AttachedToScopeCount { get; internal set; }

    public long DetachedFromScopeCount { get; internal set; }

    /// <summary>Created less disposed. A tensor that the garbage collector freed is not counted as disposed.</summary>
    public long ThreadTotalLiveCount =>
        CreatedInScopeCount + CreatedOutsideScopeCount - DisposedInScopeCount - DisposedOutsideScopeCount;

    public void Reset()
    {
        CreatedInScopeCount = DisposedInScopeCount = CreatedOutsideScopeCount = DisposedOutsideScopeCount = 0;
        AttachedToScopeCount = DetachedFromScopeCount = 0;
    }

    public override string ToString() =>
        $"live {ThreadTotalLiveCount}: in scopes {CreatedInScopeCount} created, {DisposedInScopeCount} disposed; "
        + $"outside {CreatedOutsideScopeCount} created, {DisposedOutsideScopeCount} disposed; "
        + $"{AttachedToScopeCount} attached, {DetachedFromScopeCount} detached";
}

public static partial class torch
{
    /// <summary>A scope that disposes what is created in it, unless moved out.</summary>
    public static DisposeScope NewDisposeScope() => ThreadDisposeScopes.NewDisposeScope();

    public static DisposeScope? CurrentDisposeScope => ThreadDisposeScopes.ThreadSingleton.CurrentDisposeScope;

    /// <summary>Runs an expression in a scope of its own; only its result survives.</summary>
    public static Tensor WrappedTensorDisposeScope(Func<Tensor> expr)
    {
        using var scope = NewDisposeScope();
        return expr().MoveToOuterDisposeScope();
    }

    /// <summary>Tensor handles that native code holds for us, over all threads. Tests assert that it returns to its baseline.</summary>
    public static long LiveTensorCount => Native.Exports.rs_tensor_live();

    /// <summary>Bytes of the undisposed tensors that own their memory, over all threads.</summary>
    public static long LiveTensorBytes => NativeMemoryPressure.Bytes;
}
