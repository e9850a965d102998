using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Recsys.Grpc.Tests.Hosting;

/// <summary>A wire between an HTTP/2 client and its server that counts PING frames, and that can go silent without closing.</summary>
public sealed class Http2Tap : IAsyncDisposable
{
    private const int PingFrame = 6, AckFlag = 1, HeaderSize = 9, PrefaceSize = 24;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _pumps = [];
    private readonly List<TcpClient> _ends = [];
    private readonly IPEndPoint _target;
    private int _clientPings, _serverPings, _acks;
    private readonly SemaphoreSlim _pinged = new(0);
    private volatile bool _silent;

    public Http2Tap(string target)
    {
        var uri = new Uri(target);
        _target = new IPEndPoint(IPAddress.Loopback, uri.Port);
        _listener.Start();
        _pumps.Add(AcceptAsync());
    }

    public string Address => $"http://{_listener.LocalEndpoint}";

    public int ClientPings => Volatile.Read(ref _clientPings);

    public int ServerPings => Volatile.Read(ref _serverPings);

    public int Acks => Volatile.Read(ref _acks);

    /// <summary>Waits until the client has sent so many pings.</summary>
    public async Task PingsAsync(int count)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (ClientPings < count) await _pinged.WaitAsync(patience.Token);
    }

    /// <summary>From now on nothing gets through, and nobody is told.</summary>
    public void GoSilent() => _silent = true;

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_stop.Token);
                var server = new TcpClient { NoDelay = true };
                await server.ConnectAsync(_target, _stop.Token);
                client.NoDelay = true;
                lock (_pumps)
                {
                    _ends.AddRange([client, server]);
                    _pumps.Add(PumpAsync(client, server, PrefaceSize, () => Interlocked.Increment(ref _clientPings)));
                    _pumps.Add(PumpAsync(server, client, 0, () => Interlocked.Increment(ref _serverPings)));
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException)
        {
        }
    }

    private async Task PumpAsync(TcpClient from, TcpClient to, int preface, Action ping)
    {
        try
        {
            NetworkStream source = from.GetStream(), target = to.GetStream();
            var buffer = new byte[1 << 16];
            await ForwardAsync(source, target, buffer, preface);
            while (true)
            {
                await source.ReadExactlyAsync(buffer.AsMemory(0, HeaderSize), _stop.Token);
                if (buffer[3] == PingFrame)
                {
                    if ((buffer[4] & AckFlag) != 0) Interlocked.Increment(ref _acks);
                    else
                    {
                        ping();
                        _pinged.Release();
                    }
                }
                int length = (buffer[0] << 16) | BinaryPrimitives.ReadUInt16BigEndian(buffer.AsSpan(1));
                if (!_silent) await target.WriteAsync(buffer.AsMemory(0, HeaderSize), _stop.Token);
                await ForwardAsync(source, target, buffer, length);
            }
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException)
        {
            if (_silent) return;
            from.Dispose();
            to.Dispose();
        }
    }

    private async Task ForwardAsync(NetworkStream source, NetworkStream target, byte[] buffer, int length)
    {
        while (length > 0)
        {
            int read = await source.ReadAsync(buffer.AsMemory(0, Math.Min(length, buffer.Length)), _stop.Token);
            if (read == 0) throw new EndOfStreamException();
            if (!_silent) await target.WriteAsync(buffer.AsMemory(0, read), _stop.Token);
            length -= read;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        Task[] pumps;
        lock (_pumps) pumps = [.. _pumps];
        await Task.WhenAll(pumps);
        _ends.ForEach(end => end.Dispose());
        _stop.Dispose();
        _pinged.Dispose();
    }
}
