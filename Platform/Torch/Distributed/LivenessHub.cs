using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Recsys.Torch.Distributed;

/// <summary>The watch of rank 0: everybody's connection ends here.</summary>
internal sealed class LivenessHub : Liveness
{
    private readonly byte[] _token;
    private readonly Socket _listener;
    private readonly List<Spoke> _spokes = [];

    public LivenessHub(int size, byte[] token, bool loopback, LivenessOptions options, Action<DistributedException> lost)
        : base(0, size, options, lost)
    {
        _token = token;
        var any = Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any;
        _listener = loopback || any.AddressFamily == AddressFamily.InterNetwork
            ? new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
            : new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        _listener.Bind(new IPEndPoint(loopback ? IPAddress.Loopback : any, 0));
        _listener.Listen(size);
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
    }

    public int Port { get; }

    protected override void Watch()
    {
        try
        {
            long said = 0;
            while (!Stopped)
            {
                long absence = Absence();
                _spokes.ForEach(spoke => spoke.Heard += absence);
                if (Environment.TickCount64 - said >= Options.Heartbeat.TotalMilliseconds)
                {
                    said = Environment.TickCount64;
                    Tell([Beat]);
                }

                var readable = new List<Socket> { _listener };
                readable.AddRange(_spokes.Select(spoke => spoke.Socket));
                Socket.Select(readable, null, null, Turn);
                foreach (var socket in readable)
                {
                    if (socket == _listener)
                    {
                        Accept();
                    }
                    else
                    {
                        Hear(_spokes.First(spoke => spoke.Socket == socket));
                    }
                }

                long now = Environment.TickCount64;
                foreach (var spoke in _spokes.FindAll(spoke => now - spoke.Heard > Options.Silence.TotalMilliseconds))
                {
                    Gone(spoke, silent: true);
                }
            }

            Tell([Leave]);
        }
        finally
        {
            _listener.Dispose();
            _spokes.ForEach(spoke => spoke.Socket.Dispose());
        }
    }

    private void Accept()
    {
        var socket = _listener.Accept();
        (socket.NoDelay, socket.Blocking) = (true, false);
        _spokes.Add(new Spoke(socket));
    }

    private void Hear(Spoke spoke)
    {
        var bytes = spoke.Buffer.AsSpan(spoke.Rank < 0 ? spoke.Filled : 0);
        int count = spoke.Socket.Receive(bytes, SocketFlags.None, out var error);
        if (count == 0)
        {
            if (error != SocketError.WouldBlock)
            {
                Gone(spoke, silent: false);
            }

            return;
        }

        spoke.Heard = Environment.TickCount64;
        if (spoke.Rank >= 0)
        {
            if (bytes[..count].Contains(Leave))
            {
                Drop(spoke);
            }

            return;
        }

        spoke.Filled += count;
        if (spoke.Filled >= GreetingLength)
        {
            Greet(spoke);
        }
    }

    /// <summary>Whoever does not know the token is no rank of ours.</summary>
    private void Greet(Spoke spoke)
    {
        int rank = BinaryPrimitives.ReadInt32LittleEndian(spoke.Buffer.AsSpan(TokenLength));
        if (!CryptographicOperations.FixedTimeEquals(spoke.Buffer.AsSpan(0, TokenLength), _token) || rank < 1 || rank >= Size)
        {
            Drop(spoke);
            return;
        }

        spoke.Rank = rank;
        if (spoke.Buffer.AsSpan(GreetingLength, spoke.Filled - GreetingLength).Contains(Leave))
        {
            Drop(spoke);
        }
    }

    private void Gone(Spoke spoke, bool silent)
    {
        Drop(spoke);
        if (spoke.Rank < 0)
        {
            return;
        }

        var message = new byte[LostLength];
        message[0] = Lost;
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(1), spoke.Rank);
        message[5] = silent ? (byte)1 : (byte)0;
        Tell(message);
        Report(spoke.Rank, silent);
    }

    private void Drop(Spoke spoke)
    {
        spoke.Socket.Dispose();
        _spokes.Remove(spoke);
    }

    private void Tell(ReadOnlySpan<byte> message)
    {
        foreach (var spoke in _spokes)
        {
            Send(spoke.Socket, message);
        }
    }

    private sealed class Spoke(Socket socket)
    {
        public Socket Socket { get; } = socket;

        /// <summary>−1 until it has greeted.</summary>
        public int Rank { get; set; } = -1;

        public byte[] Buffer { get; } = new byte[256];

        public int Filled { get; set; }

        public long Heard { get; set; } = Environment.TickCount64;
    }
}
