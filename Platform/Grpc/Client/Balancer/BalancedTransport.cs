using System.Net.Sockets;
using Grpc.Core;

namespace Grpc.Net.Client.Balancer;

/// <summary>Calls to several addresses: by turns, or all to the first one that answers.</summary>
internal sealed class BalancedTransport : CallTransport
{
    private readonly Lock _gate = new();
    private readonly Resolver _resolver;
    private readonly HttpMessageInvoker _invoker;
    private readonly BalancedOptions _options;
    private readonly Dictionary<string, Subchannel> _subchannels = [];
    private PickedAddress[] _ready = [];
    private TaskCompletionSource _changed = NewSignal();
    private Status _resolution = Status.DefaultSuccess;
    private bool _started, _resolved, _disposed;
    private uint _next;

    public BalancedTransport(Resolver resolver, SocketsHttpHandler handler, BalancedOptions options)
    {
        (_resolver, _options) = (resolver, options);
        handler.ConnectCallback = ConnectAsync;
        _invoker = new HttpMessageInvoker(handler, options.OwnsHandler);
    }

    public ConnectivityState State
    {
        get
        {
            lock (_gate)
            {
                if (_disposed) return ConnectivityState.Shutdown;
                if (!_resolved) return _started ? ConnectivityState.Connecting : ConnectivityState.Idle;
                ConnectivityState[] states = [.. _subchannels.Values.Distinct().Select(subchannel => subchannel.State)];
                return states.Contains(ConnectivityState.Ready) ? ConnectivityState.Ready
                    : states.Contains(ConnectivityState.Connecting) ? ConnectivityState.Connecting
                    : states.Contains(ConnectivityState.Idle) ? ConnectivityState.Idle
                    : ConnectivityState.TransientFailure;
            }
        }
    }

    /// <summary>Asks for connections, and waits until there is one.</summary>
    public async Task ConnectAsync(CancellationToken cancellationToken) => await PickAsync(waitForReady: true, cancellationToken).ConfigureAwait(false);

    public async Task WaitForStateChangedAsync(ConnectivityState lastObserved, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed = ChangedTask();
            if (State != lastObserved) return;
            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public override ValueTask<PickedAddress> PickAsync(bool waitForReady, CancellationToken cancellationToken)
    {
        PickedAddress[] ready = Volatile.Read(ref _ready);
        return ready.Length > 0 ? new(ready[Interlocked.Increment(ref _next) % (uint)ready.Length]) : new(WaitAsync(waitForReady, cancellationToken));
    }

    private async Task<PickedAddress> WaitAsync(bool waitForReady, CancellationToken cancellationToken)
    {
        while (true)
        {
            Start();
            Task changed = ChangedTask();
            PickedAddress[] ready = Volatile.Read(ref _ready);
            if (ready.Length > 0) return ready[Interlocked.Increment(ref _next) % (uint)ready.Length];
            Subchannel[] subchannels;
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_disposed, typeof(GrpcChannel));
                subchannels = [.. _subchannels.Values.Distinct()];
            }
            foreach (Subchannel subchannel in subchannels) subchannel.RequestConnection();
            if (!waitForReady && State == ConnectivityState.TransientFailure) throw Unavailable(subchannels);
            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private RpcException Unavailable(Subchannel[] subchannels)
    {
        Exception? failure = subchannels.Select(subchannel => subchannel.LastFailure).LastOrDefault(failure => failure is not null);
        string addresses = string.Join(", ", subchannels.SelectMany(subchannel => subchannel.Addresses));
        return new RpcException(subchannels.Length == 0
            ? new Status(StatusCode.Unavailable, _resolution.StatusCode == StatusCode.OK ? "The resolver found no address." : _resolution.Detail, _resolution.DebugException)
            : new Status(StatusCode.Unavailable, $"No address can be connected to ({addresses}): {failure?.Message}", failure));
    }

    public override TimeSpan? AfterConnectFailure(PickedAddress picked, Exception failure, int failures, bool waitForReady)
    {
        Subchannel? subchannel;
        int count;
        lock (_gate) (subchannel, count) = (_subchannels.GetValueOrDefault($"{picked.Base.Host}:{picked.Base.Port}"), _subchannels.Count);
        if (subchannel?.State == ConnectivityState.Ready) subchannel.ReportFailure(failure);
        return waitForReady || failures <= count ? TimeSpan.Zero : null;
    }

    public override void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            foreach (Subchannel subchannel in _subchannels.Values) subchannel.Dispose();
            _subchannels.Clear();
            _ready = [];
        }
        Signal();
        _resolver.Dispose();
        _invoker.Dispose();
    }

    private void Start()
    {
        lock (_gate)
        {
            if (_started) return;
            _started = true;
        }
        _resolver.Start(OnResolved);
    }

    private void OnResolved(ResolverResult result)
    {
        lock (_gate)
        {
            if (_disposed) return;
            _resolved = true;
            _resolution = result.Status;
            if (result.Addresses is { } addresses) Replace([.. addresses.DistinctBy(address => address.ToString())]);
        }
        Refresh();
    }

    /// <summary>Keeps the connections to addresses that stay.</summary>
    private void Replace(BalancerAddress[] addresses)
    {
        foreach (Subchannel gone in _subchannels.Values.Where(known => !known.Addresses.All(address => addresses.Any(kept => kept.ToString() == address.ToString()))).ToArray())
        {
            gone.Dispose();
            foreach (BalancerAddress address in gone.Addresses) _subchannels.Remove(address.ToString());
        }
        BalancerAddress[] added = [.. addresses.Where(address => !_subchannels.ContainsKey(address.ToString()))];
        BalancerAddress[][] groups = _options.RoundRobin ? [.. added.Select(address => new[] { address })] : added.Length == 0 ? [] : [added];
        foreach (BalancerAddress[] group in groups)
        {
            var subchannel = new Subchannel(group, _options.Backoff, _options.ConnectTimeout, OnChanged);
            foreach (BalancerAddress address in group) _subchannels[address.ToString()] = subchannel;
            subchannel.RequestConnection();
        }
    }

    private void OnChanged(Subchannel subchannel)
    {
        Refresh();
        if (subchannel.State == ConnectivityState.TransientFailure) _resolver.Refresh();
        else if (subchannel.State == ConnectivityState.Idle && _options.RoundRobin) subchannel.RequestConnection();
    }

    private void Refresh()
    {
        lock (_gate)
        {
            if (_disposed) return;
            PickedAddress[] before = _ready;
            _ready = [.. _subchannels.Values.Distinct().Where(subchannel => subchannel.State == ConnectivityState.Ready).Select(subchannel =>
            {
                var address = new Uri($"{_options.Scheme}://{subchannel.Current}");
                return before.FirstOrDefault(known => known.Base == address) ?? new PickedAddress(_invoker, address, _options.HostHeader);
            })];
        }
        Signal();
    }

    private ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Subchannel? subchannel;
        lock (_gate) subchannel = _subchannels.GetValueOrDefault(new BalancerAddress(context.DnsEndPoint.Host, context.DnsEndPoint.Port).ToString());
        return subchannel?.OpenAsync(cancellationToken) ?? throw new SocketException((int)SocketError.NotConnected);
    }

    private Task ChangedTask()
    {
        lock (_gate) return _changed.Task;
    }

    private void Signal()
    {
        TaskCompletionSource changed;
        lock (_gate) (changed, _changed) = (_changed, NewSignal());
        changed.TrySetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <param name="Scheme">"http" or "https".</param>
/// <param name="HostHeader">Authority that all addresses serve; null for each one's own.</param>
/// <param name="RoundRobin">False: the first address that answers.</param>
/// <param name="OwnsHandler">Dispose the handler with the channel.</param>
internal sealed record BalancedOptions(string Scheme, string? HostHeader, bool RoundRobin, bool OwnsHandler, Backoff Backoff, TimeSpan ConnectTimeout);
