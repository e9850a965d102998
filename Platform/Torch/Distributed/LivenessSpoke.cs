using System.Buffers.Binary;
using System.Net.Sockets;

namespace Recsys.Torch.Distributed;

/// <summary>The watch of a rank other than 0: one connection to rank 0.</summary>
internal sealed class LivenessSpoke : Liveness
{
    private readonly Socket _hub;
    private readonly byte[] _buffer = new byte[256];
    private int _filled;

    public LivenessSpoke(int rank, int size, string host, int port, byte[] token, LivenessOptions options, Action<DistributedException> lost)
        : base(rank, size, options, lost)
    {
        _hub = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            _hub.Connect(host, port);
            var greeting = new byte[GreetingLength];
            token.CopyTo(greeting, 0);
            BinaryPrimitives.WriteInt32LittleEndian(greeting.AsSpan(TokenLength), rank);
            _hub.Send(greeting);
            _hub.Blocking = false;
        }
        catch (SocketException e)
        {
            _hub.Dispose();
            throw new DistributedException(DistributedFault.PeerLost, $"Rank {rank} of {size} cannot reach rank 0 at {host}:{port}: {e.Message}.", 0, e);
        }
    }

    protected override void Watch()
    {
        using var _ = _hub;
        long heard = Environment.TickCount64, said = 0;
        while (!Stopped)
        {
            heard += Absence();
            if (Environment.TickCount64 - said >= Options.Heartbeat.TotalMilliseconds)
            {
                said = Environment.TickCount64;
                Send(_hub, [Beat]);
            }

            if (_hub.Poll(Turn, SelectMode.SelectRead))
            {
                int count = _hub.Receive(_buffer.AsSpan(_filled), SocketFlags.None, out var error);
                if (count > 0)
                {
                    heard = Environment.TickCount64;
                    _filled += count;
                    if (Read())
                    {
                        return;
                    }
                }
                else if (error != SocketError.WouldBlock)
                {
                    Report(0, silent: false);
                    return;
                }
            }
            else if (Environment.TickCount64 - heard > Options.Silence.TotalMilliseconds)
            {
                Report(0, silent: true);
                return;
            }
        }

        Send(_hub, [Leave]);
    }

    /// <returns>Whether the watch is over: rank 0 took leave, or named a lost rank.</returns>
    private bool Read()
    {
        int at = 0;
        while (at < _filled)
        {
            if (_buffer[at] == Leave)
            {
                return true;
            }

            if (_buffer[at] != Lost)
            {
                at++;
                continue;
            }

            if (_filled - at < LostLength)
            {
                break;
            }

            Report(BinaryPrimitives.ReadInt32LittleEndian(_buffer.AsSpan(at + 1)), _buffer[at + 5] != 0);
            return true;
        }

        _buffer.AsSpan(at, _filled - at).CopyTo(_buffer);
        _filled -= at;
        return false;
    }
}
