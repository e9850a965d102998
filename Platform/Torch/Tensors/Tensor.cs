using Recsys.Torch.Native;
using static Recsys.Torch.Native.Exports;

namespace Recsys.Torch;

public static partial class torch
{
    /// <summary>
    /// A tensor: one counted reference to a native one. It belongs to the innermost dispose scope at its creation; disposing twice
    /// is harmless, use after dispose throws <see cref="ObjectDisposedException"/>, and what was forgotten is freed once the garbage
    /// collector finds it, by its scope's finalizer or, outside every scope, by its own.
    /// </summary>
    public partial class Tensor : IDisposable
    {
        private readonly nint _handle;
        private readonly long _bytes;
        private int _uses = 1; // this object's own, plus one for each native call that is running on it
        private int _disposed;
        private Unreached? _unreached;

        internal Tensor(nint handle, long bytes = 0)
        {
            if (handle == 0)
            {
                throw new TorchException(TorchFault.Argument, "A tensor needs a native one; the operator gave none.");
            }

            _handle = handle;
            _bytes = bytes;
            if (bytes > 0)
            {
                NativeMemoryPressure.Add(bytes);
            }

            var manager = ThreadDisposeScopes.ThreadSingleton;
            if (manager.CurrentDisposeScope is { } scope)
            {
                manager.StatisticsInstance.TensorStatistics.CreatedInScopeCount++;
                scope.Include(this);
            }
            else
            {
                manager.StatisticsInstance.TensorStatistics.CreatedOutsideScopeCount++;
                GuardWithoutScope();
            }
        }

        internal DisposeScope? Scope { get; set; }

        internal int Slot { get; set; }

        /// <summary>True once it was disposed.</summary>
        public bool IsInvalid => Volatile.Read(ref _disposed) != 0;

        /// <summary>The native handle, valid while this object is alive and undisposed.</summary>
        public nint Handle => IsInvalid ? throw Disposed() : _handle;

        public static long TotalCount => LiveTensorCount;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _disposed, 1) == 0)
            {
                var statistics = ThreadDisposeScopes.ThreadSingleton.StatisticsInstance.TensorStatistics;
                if (Scope?.Forget(this) == true)
                {
                    statistics.DisposedInScopeCount++;
                }
                else
                {
                    statistics.DisposedOutsideScopeCount++;
                }

                Release();
                if (_unreached is { } guard)
                {
                    GC.SuppressFinalize(guard);
                }
            }
        }

        /// <summary>Called as it leaves its last scope: from here on nobody else would free it when it is forgotten.</summary>
        internal void GuardWithoutScope() => _unreached ??= new Unreached(this);

        /// <summary>Frees it when nothing reaches it any more: like Dispose, but from the finalizer's thread and uncounted.</summary>
        internal void Abandon()
        {
            if (Interlocked.Exchange(ref _disposed, 1) == 0)
            {
                Release();
            }
        }

        /// <summary>Hands it to the scope around the current one; where there is none, to nobody.</summary>
        public Tensor MoveToOuterDisposeScope()
        {
            Scope?.MoveToOuter(this);
            return this;
        }

        public Tensor MoveToOtherDisposeScope(DisposeScope? other)
        {
            if (Scope is { } scope)
            {
                scope.MoveToOther(other, this);
            }
            else
            {
                other?.Attach(this);
            }

            return this;
        }

        public Tensor MoveToOtherDisposeScope(Tensor other) => MoveToOtherDisposeScope(other.Scope);

        /// <summary>Takes it out of every scope: from now on only Dispose or the finalizer frees it.</summary>
        public Tensor DetachFromDisposeScope()
        {
            Scope?.Detach(this);
            return this;
        }

        /// <summary>A second handle to the same native tensor; this object is disposed. For types that derive from Tensor.</summary>
        public nint DecoupleFromNativeHandle()
        {
            var second = Duplicate();
            Dispose();
            return second;
        }

        /// <summary>Another object on the same native tensor.</summary>
        internal Tensor SecondHandle() => new(Duplicate());

        private unsafe nint Duplicate()
        {
            var handle = Hold();
            try
            {
                Out second;
                Check.Ok(rs_tensor_alias(handle, &second), "alias");
                return (nint)second.Payload;
            }
            finally
            {
                Release();
            }
        }

        public Tensor alias() => Dispatcher.Call("alias", this);

        /// <summary>Wraps a result that must be a tensor.</summary>
        internal static Tensor Own(in Out result) => result.Kind == Kind.Tensor
            ? new Tensor((nint)result.Payload, result.Bytes)
            : throw new TorchException(TorchFault.Unknown, $"The operator gave {result.Kind} where a tensor was expected.");

        internal static Tensor? OwnOrNull(in Out result) => result.Kind == Kind.Tensor ? Own(result) : null;

        /// <summary>Keeps the native tensor alive until <see cref="Release"/>.</summary>
        internal nint Hold()
        {
            while (true)
            {
                var uses = Volatile.Read(ref _uses);
                if (uses <= 0 || IsInvalid)
                {
                    throw Disposed();
                }

                if (Interlocked.CompareExchange(ref _uses, uses + 1, uses) == uses)
                {
                    return _handle;
                }
            }
        }

        internal void Release()
        {
            if (Interlocked.Decrement(ref _uses) == 0)
            {
                rs_tensor_free(_handle);
                if (_bytes > 0)
                {
                    NativeMemoryPressure.Remove(_bytes);
                }
            }
        }

        // The finalizer of a tensor in no scope. An object with a finalizer of its own costs a third of a small operator to create and
        // to suppress, so a tensor in a scope has none: the scope's covers it.
        private sealed class Unreached(Tensor tensor)
        {
            ~Unreached() => tensor.Abandon();
        }

        private static ObjectDisposedException Disposed() =>
            new(nameof(Tensor), "The tensor was disposed, by Dispose() or by its dispose scope; MoveToOuterDisposeScope() keeps it.");
    }
}
