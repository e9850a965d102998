using System.Net.Sockets;
using Grpc.Core;

namespace Grpc.Net.Client.Balancer;

/// <summary>
/// The connection to one address, or to the first of several that answers. It connects ahead of the calls, so that they are sent only where
/// somebody listens, and connects again with growing pauses.
/// </summary>
internal sealed class Subchannel(IReadOnlyList<BalancerAddress> addresses, Backoff backoff, TimeSpan connectTimeout, Action<Subchannel> changed) : IDisposable
{
    private static readonly TimeSpan LongestSpare = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private Socket? _spare;
    private Task? _connecting;
    private DateTime _notBefore = DateTime.MinValue;
    private int _failures, _open;

    public ConnectivityState State { get; private set; } = ConnectivityState.Idle;

    public IReadOnlyList<BalancerAddress> Addresses { get; } = addresses;

    /// <summary>The address that answered last.</summary>
    public BalancerAddress Current { get; private set; } = addresses[0];

    public Exception? LastFailure { get; private set; }

    /// <summary>Connects if nothing is connected and nobody does so already.</summary>
    public void RequestConnection()
    {
        lock (_gate)
        {
            if (State is ConnectivityState.Ready or ConnectivityState.Shutdown || _connecting is not null) return;
            _connecting = Task.Run(ConnectAsync);
        }
    }

    /// <summary>A stream for a new HTTP/2 connection: the socket that was connected ahead if it is still alive, else a new one.</summary>
    public async ValueTask<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        Socket? socket;
        lock (_gate) (socket, _spare) = (_spare, null);
        if (socket is not null && IsClosed(socket))
        {
            socket.Dispose();
            socket = null;
        }
        if (socket is null)
        {
            try
            {
                socket = await DialAsync(Current, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is SocketException or TimeoutException)
            {
                ReportFailure(exception);
                throw;
            }
        }
        Interlocked.Increment(ref _open);
        return new CountedStream(socket, this);
    }

    /// <summary>The connection is of no use: pause, then connect again.</summary>
    public void ReportFailure(Exception failure)
    {
        lock (_gate)
        {
            if (State == ConnectivityState.Shutdown) return;
            RecordFailure(failure);
            _spare?.Dispose();
            _spare = null;
            _connecting ??= Task.Run(ConnectAsync);
        }
        changed(this);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            State = ConnectivityState.Shutdown;
            _spare?.Dispose();
            _spare = null;
        }
        _stop.Cancel();
    }

    private async Task ConnectAsync()
    {
        try
        {
            while (true)
            {
                TimeSpan pause = _notBefore - DateTime.UtcNow;
                if (pause > TimeSpan.Zero) await Task.Delay(pause, _stop.Token).ConfigureAwait(false);
                SetState(ConnectivityState.Connecting);
                if (await TryConnectAsync().ConfigureAwait(false)) return;
                changed(this);
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    private async Task<bool> TryConnectAsync()
    {
        Exception? failure = null;
        foreach (BalancerAddress address in Addresses)
        {
            try
            {
                Socket socket = await DialAsync(address, _stop.Token).ConfigureAwait(false);
                lock (_gate)
                {
                    _connecting = null;
                    if (State == ConnectivityState.Shutdown)
                    {
                        socket.Dispose();
                        return true;
                    }
                    (_spare, Current, State, _failures) = (socket, address, ConnectivityState.Ready, 0);
                }
                _ = DropSpareAsync(socket);
                changed(this);
                return true;
            }
            catch (Exception exception) when (exception is SocketException or TimeoutException)
            {
                failure = exception;
            }
        }
        lock (_gate) RecordFailure(failure!);
        return false;
    }

    /// <summary>A server that stops waits for its connections, so one that nobody uses must not stay; the next call then opens its own.</summary>
    private async Task DropSpareAsync(Socket socket)
    {
        await Task.Delay(LongestSpare, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            if (_spare != socket) return;
            _spare = null;
        }
        socket.Dispose();
    }

    private async Task<Socket> DialAsync(BalancerAddress address, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address.EndPoint, cancellationToken).AsTask().WaitAsync(connectTimeout, cancellationToken).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private void RecordFailure(Exception failure)
    {
        if (State == ConnectivityState.Shutdown) return;
        LastFailure = failure;
        _notBefore = DateTime.UtcNow + backoff.After(++_failures);
        State = ConnectivityState.TransientFailure;
    }

    private void SetState(ConnectivityState state)
    {
        lock (_gate)
        {
            if (State == ConnectivityState.Shutdown) return;
            State = state;
        }
        changed(this);
    }

    private void StreamClosed()
    {
        lock (_gate)
        {
            if (Interlocked.Decrement(ref _open) > 0 || State != ConnectivityState.Ready || _spare is not null) return;
            State = ConnectivityState.Idle;
        }
        changed(this);
    }

    private static bool IsClosed(Socket socket)
    {
        try
        {
            // Readable without bytes: the peer has closed. An HTTP/2 server speaks first, so bytes may wait.
            return socket.Poll(TimeSpan.Zero, SelectMode.SelectRead) && socket.Available == 0;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    private sealed class CountedStream(Socket socket, Subchannel owner) : NetworkStream(socket, ownsSocket: true)
    {
        private int _disposed;

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            if (Interlocked.Exchange(ref _disposed, 1) == 0) owner.StreamClosed();
        }
    }
}
