using Grpc.Core;

namespace Grpc.Net.Client.Retry;

/// <summary>The requests of a streaming call under a retry policy: kept until the call is committed, so that another attempt can send them too.</summary>
internal sealed class RetryRequestWriter<TRequest, TResponse>(RetryCall<TRequest, TResponse> call) : IClientStreamWriter<TRequest>
    where TRequest : class
    where TResponse : class
{
    private int _writing;
    private bool _completed;

    public WriteOptions? WriteOptions { get; set; } = call.WriteOptions;

    public Task WriteAsync(TRequest message) => WriteAsync(message, CancellationToken.None);

    /// <summary>A token cancelled here cancels the call.</summary>
    public async Task WriteAsync(TRequest message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (_completed) throw new InvalidOperationException("Can't write the message because the request stream is complete.");
        if (Interlocked.Exchange(ref _writing, 1) == 1) throw new InvalidOperationException("The previous write has not finished: await it before the next one.");
        try
        {
            using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(static call => ((IStartedCall)call!).CancelByCaller(), call);
            ThrowIfEnded();
            try
            {
                await call.WriteAsync(message, WriteOptions).ConfigureAwait(false);
            }
            catch (RpcException)
            {
                call.CancelByCaller();
                throw;
            }
            ThrowIfEnded();
        }
        finally
        {
            Volatile.Write(ref _writing, 0);
        }
    }

    public Task CompleteAsync()
    {
        _completed = true;
        call.Log.Complete();
        return Task.CompletedTask;
    }

    private void ThrowIfEnded()
    {
        if (!call.Committed.IsCompletedSuccessfully || !call.Committed.Result.HasEnded) return;
        throw call.Committed.Result.GetStatus().StatusCode == StatusCode.OK
            ? new InvalidOperationException("Can't write the message because the call is complete.")
            : call.Committed.Result.EndFailure();
    }
}
