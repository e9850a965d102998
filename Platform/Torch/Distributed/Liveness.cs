using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Recsys.Torch.Distributed;

/// <summary>
/// Tells every rank when another one is gone. Each keeps a connection to rank 0 that carries heartbeats; the system closes it in the
/// moment a process ends, however it ends, and rank 0 tells the rest. Runs on a thread of its own, so that neither a long step nor a
/// starved thread pool looks like a death.
/// </summary>
internal abstract class Liveness : IDisposable
{
    protected const string Key = "recsys/liveness";
    protected const byte Beat = (byte)'h', Leave = (byte)'b', Lost = (byte)'f';
    protected const int LostLength = 6; // Lost, rank (4), silent or not (1)
    protected const int TokenLength = 16, GreetingLength = TokenLength + 4;
    protected static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(50);

    private readonly ManualResetEventSlim _verdict = new();
    private readonly Action<DistributedException> _lost;
    private readonly Thread _thread;
    private volatile bool _stop;
    private long _turned = Environment.TickCount64;

    protected Liveness(int rank, int size, LivenessOptions options, Action<DistributedException> lost)
    {
        (Rank, Size, Options, _lost) = (rank, size, options, lost);
        _thread = new Thread(Run) { IsBackground = true, Name = $"liveness {rank}" };
    }

    protected int Rank { get; }

    protected int Size { get; }

    protected LivenessOptions Options { get; }

    protected bool Stopped => _stop;

    /// <summary>Starts the watch of one rank; rank 0 listens, the others find it through the store.</summary>
    public static Liveness Start(TCPStore store, int rank, int size, LivenessOptions options, Action<DistributedException> lost)
    {
        Liveness liveness;
        if (rank == 0)
        {
            var token = RandomNumberGenerator.GetBytes(TokenLength);
            var hub = new LivenessHub(size, token, IsLoopback(store.Host), options, lost);
            store.set(Key, hub.Port.ToString(CultureInfo.InvariantCulture) + " " + Convert.ToHexString(token));
            liveness = hub;
        }
        else
        {
            var words = System.Text.Encoding.UTF8.GetString(store.get(Key)).Split(' ');
            liveness = new LivenessSpoke(rank, size, store.Host, int.Parse(words[0], CultureInfo.InvariantCulture), Convert.FromHexString(words[1]), options, lost);
        }

        liveness._thread.Start();
        return liveness;
    }

    public static bool IsLoopback(string host)
    {
        try
        {
            return IPAddress.TryParse(host, out var address) ? IPAddress.IsLoopback(address) : Array.TrueForAll(Dns.GetHostAddresses(host), IPAddress.IsLoopback);
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Gives the watch a moment to find out who it was.</summary>
    public void AwaitVerdict() => _verdict.Wait(TimeSpan.FromMilliseconds(300));

    /// <summary>Says goodbye and ends the watch.</summary>
    public void Dispose()
    {
        _stop = true;
        if (Thread.CurrentThread != _thread)
        {
            _thread.Join();
        }
    }

    protected abstract void Watch();

    /// <summary>Called at each turn.</summary>
    /// <returns>Milliseconds in which this process did not run (stopped, or its machine asleep): nobody's silence then means a thing.</returns>
    protected long Absence()
    {
        long now = Environment.TickCount64, gap = now - _turned;
        _turned = now;
        return gap > 10 * Turn.TotalMilliseconds ? gap : 0;
    }

    protected void Report(int rank, bool silent)
    {
        if (_verdict.IsSet || _stop)
        {
            return;
        }

        _lost(silent
            ? new DistributedException(DistributedFault.PeerSilent, $"rank {rank} of {Size} gave no sign of life for {Options.Silence.TotalSeconds:G4} s. Is its process stopped, or its machine out of reach?", rank)
            : new DistributedException(DistributedFault.PeerLost, $"rank {rank} of {Size} ended without taking leave. Its own output says why; restart all ranks from the last checkpoint.", rank));
        _verdict.Set();
    }

    /// <summary>Never waits: a peer whose buffer is full is about to be found silent.</summary>
    protected static void Send(Socket socket, ReadOnlySpan<byte> bytes)
    {
        try
        {
            socket.Send(bytes, SocketFlags.None, out _);
        }
        catch (ObjectDisposedException)
        {
        }
    }

    private void Run()
    {
        try
        {
            Watch();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            if (!_stop)
            {
                _lost(new DistributedException(DistributedFault.Backend, $"The watch over the other ranks failed on rank {Rank}: {e.Message}", null, e));
                _verdict.Set();
            }
        }
    }
}
