using Grpc.Core;
using Grpc.Health.V1;
using Microsoft.Extensions.Hosting;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Grpc.HealthCheck;

/// <summary>
/// Health of the services of a server, by full name; "" is the server as a whole. Register it as a singleton, and map it.
/// When the host stops, watchers are told NOT_SERVING and their calls end with UNAVAILABLE, so that they do not hold it up.
/// </summary>
public class HealthServiceImpl(IHostApplicationLifetime? lifetime) : Health.V1.Health.HealthBase
{
    private readonly CancellationToken _stopping = lifetime?.ApplicationStopping ?? CancellationToken.None;
    private readonly Dictionary<string, ServingStatus> _statuses = [];
    private readonly Lock _gate = new();
    private TaskCompletionSource _changed = NewSignal();

    public HealthServiceImpl() : this(null)
    {
    }

    /// <summary>Sets the status of a service and tells those who watch it.</summary>
    public void SetStatus(string service, ServingStatus status)
    {
        ArgumentNullException.ThrowIfNull(service);
        Change(statuses => statuses[service] = status);
    }

    /// <summary>Forgets a service.</summary>
    public void ClearStatus(string service)
    {
        ArgumentNullException.ThrowIfNull(service);
        Change(statuses => statuses.Remove(service));
    }

    /// <summary>Forgets all services.</summary>
    public void ClearAll() => Change(statuses => statuses.Clear());

    public override Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context)
    {
        ServingStatus status = Read(request.Service, out _);
        return status == ServingStatus.ServiceUnknown
            ? throw new RpcException(new Status(StatusCode.NotFound, $"Unknown service '{request.Service}'."))
            : Task.FromResult(new HealthCheckResponse { Status = status });
    }

    public override async Task Watch(HealthCheckRequest request, IServerStreamWriter<HealthCheckResponse> responseStream, ServerCallContext context)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, _stopping);
        ServingStatus? sent = null;
        while (true)
        {
            ServingStatus status = Read(request.Service, out Task changed);
            if (status != sent)
            {
                await responseStream.WriteAsync(new HealthCheckResponse { Status = status }, context.CancellationToken);
                sent = status;
            }
            await changed.WaitAsync(ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            context.CancellationToken.ThrowIfCancellationRequested();
            if (!_stopping.IsCancellationRequested) continue;
            await responseStream.WriteAsync(new HealthCheckResponse { Status = ServingStatus.NotServing }, context.CancellationToken);
            throw new RpcException(new Status(StatusCode.Unavailable, "The server is stopping."));
        }
    }

    private ServingStatus Read(string service, out Task changed)
    {
        lock (_gate)
        {
            changed = _changed.Task;
            return _statuses.TryGetValue(service, out ServingStatus status) ? status : ServingStatus.ServiceUnknown;
        }
    }

    private void Change(Action<Dictionary<string, ServingStatus>> change)
    {
        TaskCompletionSource before;
        lock (_gate)
        {
            change(_statuses);
            before = _changed;
            _changed = NewSignal();
        }
        before.SetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
