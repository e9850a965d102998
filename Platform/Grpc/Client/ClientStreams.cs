using Grpc.Core;
using Grpc.Wire;

namespace Grpc.Net.Client;

/// <summary>The responses of a streaming call.</summary>
internal sealed class ResponseStreamReader<TResponse>(IReceivingCall<TResponse> call) : IAsyncStreamReader<TResponse>
    where TResponse : class
{
    private TResponse? _current;
    private int _reading;

    public TResponse Current => _current ?? throw new InvalidOperationException("There is no current message: MoveNext has not returned true.");

    /// <summary>A token cancelled here cancels the call.</summary>
    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _reading, 1) == 1) throw new InvalidOperationException("The previous read has not finished: await it before the next one.");
        try
        {
            _current = null;
            using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
                static call => ((IStartedCall)call!).CancelByCaller(), call);
            _current = await call.ReceiveNextAsync().ConfigureAwait(false);
            return _current is not null;
        }
        finally
        {
            Volatile.Write(ref _reading, 0);
        }
    }
}

/// <summary>The requests of a streaming call.</summary>
internal sealed class RequestStreamWriter<TRequest, TResponse>(
    ClientCall<TRequest, TResponse> call, RequestStreamContent content, WriteOptions? writeOptions, bool answersOnce) : IClientStreamWriter<TRequest>
    where TRequest : class
    where TResponse : class
{
    private readonly MessageFramer _framer = new();
    private int _writing;
    private bool _completed;

    public WriteOptions? WriteOptions { get; set; } = writeOptions;

    public Task WriteAsync(TRequest message) => WriteAsync(message, CancellationToken.None);

    /// <summary>A token cancelled here cancels the call.</summary>
    public async Task WriteAsync(TRequest message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (_completed) throw new InvalidOperationException("Can't write the message because the request stream is complete.");
        if (Interlocked.Exchange(ref _writing, 1) == 1) throw new InvalidOperationException("The previous write has not finished: await it before the next one.");
        try
        {
            using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
                static call => ((IStartedCall)call!).CancelByCaller(), call);
            await SendAsync(message).ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref _writing, 0);
        }
    }

    public Task CompleteAsync()
    {
        _completed = true;
        content.Complete();
        return Task.CompletedTask;
    }

    private async Task SendAsync(TRequest message)
    {
        try
        {
            await Task.WhenAny(content.Stream, call.Finished).ConfigureAwait(false);
            if (call.HasEnded) throw Ended();
            Stream stream = await content.Stream.ConfigureAwait(false);
            using var bytes = new PooledBuffer();
            call.Frame(_framer, message, bytes, WriteOptions);
            await stream.WriteAsync(bytes.WrittenMemory, call.Cancellation).ConfigureAwait(false);
            if ((WriteOptions?.Flags & WriteFlags.BufferHint) != WriteFlags.BufferHint) await stream.FlushAsync(call.Cancellation).ConfigureAwait(false);
        }
        catch (RpcException exception) when (!call.HasEnded)
        {
            throw call.Failure(exception);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The server has stopped reading. Why is in its status, which the one response's receiver reads; a stream's reader may not be reading.
            if (answersOnce) await call.Finished.ConfigureAwait(false);
            throw call.HasEnded ? Ended() : new RpcException(ClientErrors.ToStatus(exception));
        }
    }

    private Exception Ended() => call.GetStatus().StatusCode == StatusCode.OK
        ? new InvalidOperationException("Can't write the message because the call is complete.")
        : call.EndFailure();
}
