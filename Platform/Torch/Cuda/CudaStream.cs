using Recsys.Torch.Native;
using static Recsys.Torch.Native.CudaExports;
using static Recsys.Torch.torch;

namespace Recsys.Torch;

/// <summary>A queue of work on a CUDA device; streams run beside each other. TorchSharp has no such type.</summary>
public sealed unsafe class CudaStream : CudaHandle
{
    /// <summary>A stream of libtorch's pool.</summary>
    /// <exception cref="TorchException">Unsupported where libtorch has no CUDA.</exception>
    public CudaStream(int device = 0, bool highPriority = false)
        : base(New(device, highPriority)) => Device = device;

    private CudaStream(nint handle, int device)
        : base(handle) => Device = device;

    public int Device { get; }

    /// <summary>True where everything given to it is done.</summary>
    public bool IsDone
    {
        get
        {
            int done;
            Check.Ok(rs_cuda_stream_query(Handle, &done), "CudaStream.IsDone");
            return done != 0;
        }
    }

    /// <summary>The calling thread's stream on a device.</summary>
    public static CudaStream Current(int device = 0)
    {
        void* stream;
        Check.Ok(rs_cuda_stream_current(device, &stream), "CudaStream.Current");
        return new CudaStream((nint)stream, device);
    }

    /// <summary>Operators of this thread go to the stream until the result is disposed.</summary>
    public IDisposable Use() => new Usage(this);

    public void Synchronize() => Check.Ok(rs_cuda_stream_synchronize(Handle), "CudaStream.Synchronize");

    /// <summary>What is given to it from here on waits for the event.</summary>
    public void WaitFor(CudaEvent recorded) => Check.Ok(rs_cuda_event_block(recorded.Handle, Handle), "CudaStream.WaitFor");

    /// <summary>Keeps a tensor's memory, made on another stream, from being used anew before this one is done with it.</summary>
    public void Keeps(Tensor tensor)
    {
        nint held = tensor.Hold();
        try
        {
            Check.Ok(rs_cuda_stream_uses(Handle, held), "CudaStream.Keeps");
        }
        finally
        {
            tensor.Release();
        }
    }

    private protected override void Free(nint handle) => rs_cuda_stream_free(handle);

    private static nint New(int device, bool highPriority)
    {
        void* stream;
        Check.Ok(rs_cuda_stream_new(device, highPriority ? 1 : 0, &stream), "CudaStream");
        return (nint)stream;
    }

    private sealed class Usage : IDisposable
    {
        private CudaStream? _before;

        public Usage(CudaStream stream)
        {
            _before = Current(stream.Device);
            Check.Ok(rs_cuda_stream_set(stream.Handle), "CudaStream.Use");
        }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _before, null) is { } before)
            {
                Check.Ok(rs_cuda_stream_set(before.Handle), "CudaStream.Use");
                before.Dispose();
            }
        }
    }
}

/// <summary>A point in a stream's work, to wait for or to measure from.</summary>
public sealed unsafe class CudaEvent : CudaHandle
{
    /// <param name="timing">Whether <see cref="MillisecondsTo"/> will be asked.</param>
    public CudaEvent(bool timing = false)
        : base(New(timing))
    {
    }

    public void Record(CudaStream stream) => Check.Ok(rs_cuda_event_record(Handle, stream.Handle), "CudaEvent.Record");

    public void Synchronize() => Check.Ok(rs_cuda_event_synchronize(Handle), "CudaEvent.Synchronize");

    public double MillisecondsTo(CudaEvent later)
    {
        double milliseconds;
        Check.Ok(rs_cuda_event_elapsed(Handle, later.Handle, &milliseconds), "CudaEvent.MillisecondsTo");
        return milliseconds;
    }

    private protected override void Free(nint handle) => rs_cuda_event_free(handle);

    private static nint New(bool timing)
    {
        void* created;
        Check.Ok(rs_cuda_event_new(timing ? 1 : 0, &created), "CudaEvent");
        return (nint)created;
    }
}
