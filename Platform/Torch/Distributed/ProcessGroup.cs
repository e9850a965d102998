using Recsys.Torch.Distributed;
using Recsys.Torch.Native;
using static Recsys.Torch.Distributed.NativeMethods;
using static Recsys.Torch.torch;

namespace Recsys.Torch;

/// <summary>
/// Ranks that call the same collectives in the same order. A rank that dies ends the others' waits within a second: the ranks watch one
/// another over connections of their own (<see cref="Liveness"/>), whatever the backend's timeouts are.
/// </summary>
public sealed unsafe class ProcessGroup : IDisposable
{
    private readonly Lock _gate = new();
    private readonly TCPStore _store;
    private readonly Liveness? _liveness;
    private DistributedException? _failure;
    private nint _handle;

    /// <summary>Meets the other ranks.</summary>
    /// <param name="store">The same for all ranks; becomes this group's.</param>
    /// <param name="backend">gloo or nccl.</param>
    /// <param name="timeout">For meeting, and for each collective.</param>
    /// <exception cref="DistributedException">Not all ranks came in time, or this libtorch lacks the backend.</exception>
    public ProcessGroup(TCPStore store, int rank, int size, string backend = "gloo", TimeSpan? timeout = null, LivenessOptions? liveness = null)
    {
        if (size < 1 || rank < 0 || rank >= size)
        {
            throw new DistributedException(DistributedFault.Configuration, $"Rank {rank} of {size}: allowed are ranks 0 to {size - 1} of at least 1.");
        }

        (_store, Rank, Size, Backend, Timeout) = (store, rank, size, backend, timeout ?? TimeSpan.FromMinutes(10));
        try
        {
            _liveness = size > 1 ? Liveness.Start(store, rank, size, liveness ?? new LivenessOptions(), Abort) : null;
            var (address, isInterface) = Endpoint(store.Host);
            fixed (byte* name = Text(backend), at = Text(address))
            {
                nint handle;
                Ok(rs_group_new(store.Handle, name, rank, size, (long)Timeout.TotalMilliseconds, at, isInterface ? 1 : 0, &handle), $"ProcessGroup({backend}, rank {rank} of {size})");
                _handle = handle;
            }
        }
        catch
        {
            _liveness?.Dispose();
            throw;
        }
    }

    public int Rank { get; }

    public int Size { get; }

    public string Backend { get; }

    public TimeSpan Timeout { get; }

    internal nint Handle => _handle != 0 ? _handle : throw new ObjectDisposedException(nameof(ProcessGroup));

    /// <summary>Every rank's tensor becomes the ranks' sum, average, minimum…</summary>
    /// <param name="tensor">Dense and contiguous, of one shape and dtype on all ranks; overwritten.</param>
    public Work AllReduce(Tensor tensor, ReduceOp op = ReduceOp.SUM)
    {
        if (op == ReduceOp.AVG && !tensor.is_floating_point())
        {
            throw new DistributedException(DistributedFault.Configuration, $"An average of {tensor.dtype} is not whole; use SUM, or a floating-point tensor.");
        }

        return Over(tensor, "all_reduce", (handle, work) => rs_group_all_reduce(Handle, handle, (int)op, (nint*)work));
    }

    /// <summary>Every rank's tensor becomes that of <paramref name="source"/>.</summary>
    public Work Broadcast(Tensor tensor, int source)
    {
        RankInRange(source);
        return Over(tensor, "broadcast", (handle, work) => rs_group_broadcast(Handle, handle, source, (nint*)work));
    }

    /// <param name="outputs">[ranks] tensors of the input's shape: all ranks' inputs, in the order of ranks.</param>
    public Work AllGather(IList<Tensor> outputs, Tensor input)
    {
        OneForEachRank(outputs, "all_gather");
        using var held = new HeldTensors(outputs);
        var handles = held.Handles;
        return Over(input, "all_gather", (handle, work) =>
        {
            fixed (nint* list = handles)
            {
                return rs_group_all_gather(Handle, list, handles.Length, handle, (nint*)work);
            }
        });
    }

    /// <summary>The reduction of the ranks' <paramref name="inputs"/>[r] lands on rank r.</summary>
    /// <param name="inputs">[ranks] tensors of the output's shape.</param>
    public Work ReduceScatter(Tensor output, IList<Tensor> inputs, ReduceOp op = ReduceOp.SUM)
    {
        OneForEachRank(inputs, "reduce_scatter");
        using var held = new HeldTensors(inputs);
        var handles = held.Handles;
        return Over(output, "reduce_scatter", (handle, work) =>
        {
            fixed (nint* list = handles)
            {
                return rs_group_reduce_scatter(Handle, handle, list, handles.Length, (int)op, (nint*)work);
            }
        });
    }

    /// <summary>Done once every rank is here.</summary>
    public Work Barrier()
    {
        Alive();
        nint work;
        Ok(rs_group_barrier(Handle, &work), "barrier");
        return new Work(this, work, "barrier");
    }

    /// <summary>Ends every wait of this rank with an error, now and later: the first that is told stays the reason.</summary>
    public void Abort(DistributedException reason)
    {
        nint handle;
        lock (_gate)
        {
            _failure ??= reason;
            handle = _handle;
        }

        if (handle != 0)
        {
            fixed (byte* text = Text(reason.Message))
            {
                _ = rs_group_abort(handle, text);
            }
        }
    }

    /// <summary>Takes leave: the others do not count this rank as lost.</summary>
    public void Dispose()
    {
        _liveness?.Dispose();
        nint handle;
        lock (_gate)
        {
            (handle, _handle) = (_handle, 0);
        }

        if (handle != 0)
        {
            rs_group_free(handle);
        }

        if (_failure is null)
        {
            _store.Dispose();
        }
    }

    /// <summary>Refuses to start what cannot end.</summary>
    internal void Alive()
    {
        lock (_gate)
        {
            if (_failure is { } failure)
            {
                throw new DistributedException(failure.Fault, failure.Message, failure.Peer, failure);
            }
        }
    }

    /// <summary>What a wait that did not end well means.</summary>
    internal DistributedException Failure(Outcome outcome, string what, TimeSpan limit)
    {
        if (outcome == Outcome.TimedOut)
        {
            var late = new DistributedException(DistributedFault.Timeout, $"{what} on rank {Rank} of {Size} was not joined by all ranks within {limit.TotalSeconds:G4} s. A rank is stuck, or calls other collectives; all must call the same in the same order.");
            Abort(late);
            return late;
        }

        // The backend sees a broken connection before the watch can say whose it was.
        var reason = Check.Failure(Status.Torch, what, null).Message;
        if (outcome == Outcome.Failed)
        {
            _liveness?.AwaitVerdict();
        }

        lock (_gate)
        {
            return _failure is { } known
                ? new DistributedException(known.Fault, $"{what} on rank {Rank} of {Size}: {known.Message}", known.Peer, known)
                : new DistributedException(
                    reason.Contains("onnection", StringComparison.Ordinal) || reason.Contains("closed", StringComparison.Ordinal) ? DistributedFault.PeerLost : DistributedFault.Backend,
                    $"{what} on rank {Rank} of {Size}: {reason}");
        }
    }

    /// <summary>An interface by GLOO_SOCKET_IFNAME, loopback where the store is on loopback, else what this machine's name stands for.</summary>
    private static (string Address, bool IsInterface) Endpoint(string host) =>
        Environment.GetEnvironmentVariable("GLOO_SOCKET_IFNAME") is { Length: > 0 } named ? (named, true)
        : Liveness.IsLoopback(host) ? ("127.0.0.1", false)
        : ("", false);

    private delegate Status Start(nint handle, nint work);

    private Work Over(Tensor tensor, string what, Start start)
    {
        Alive();
        var handle = tensor.Hold();
        try
        {
            nint work;
            Ok(start(handle, (nint)(&work)), what);
            return new Work(this, work, what);
        }
        finally
        {
            tensor.Release();
        }
    }

    private void RankInRange(int rank)
    {
        if (rank < 0 || rank >= Size)
        {
            throw new DistributedException(DistributedFault.Configuration, $"There is no rank {rank}; allowed are 0 to {Size - 1}.");
        }
    }

    private void OneForEachRank(IList<Tensor> tensors, string what)
    {
        if (tensors.Count != Size)
        {
            throw new DistributedException(DistributedFault.Configuration, $"{what} takes one tensor for each of the {Size} ranks, {tensors.Count} were given.");
        }
    }
}
