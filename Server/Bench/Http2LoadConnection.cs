using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Recsys.Server.Bench;

/// <summary>
/// One HTTP/2 connection that keeps a number of equal requests under way and counts their answers. It does as little as the protocol allows
/// (headers indexed after the first request, answers skipped, not read), so that what it measures is the server.
/// </summary>
internal sealed class Http2LoadConnection : IDisposable
{
    private const byte Data = 0, Headers = 1, Reset = 3, Settings = 4, Ping = 6, GoAway = 7, WindowUpdate = 8;
    private const byte EndStream = 1, Ack = 1, EndHeaders = 4;
    private const int FrameHeader = 9;
    private const int Window = int.MaxValue;

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly MemoryStream _output = new();
    private readonly byte[] _input = new byte[1 << 18];
    private readonly byte[] _firstHeaders, _laterHeaders, _body;
    private readonly int _expectedData;
    private int _nextStream = 1, _unacknowledged;

    /// <param name="path">Of the method.</param>
    /// <param name="body">Of each request: the framed message.</param>
    /// <param name="expectedData">Bytes of each answer's body.</param>
    public Http2LoadConnection(string path, byte[] body, int expectedData)
    {
        (_body, _expectedData) = (body, expectedData);
        // RFC 7541: static entries for method, scheme and known names; all else goes into the dynamic table, the newest entry at index 62.
        (byte[] Name, string Value)[] fields =
        [
            ([0x44], path), ([0x41], "127.0.0.1"), ([0x5F], "application/grpc"), ([0x7A], "bench"),
            ([0x40, .. Text("te")], "trailers"), ([0x40, .. Text("grpc-accept-encoding")], "identity,gzip"),
        ];
        _firstHeaders = [0x83, 0x86, .. fields.SelectMany(field => field.Name.Concat(Text(field.Value)))];
        _laterHeaders = [0x83, 0x86, .. fields.Select((_, i) => (byte)(0x80 | (62 + fields.Length - 1 - i)))];
    }

    public async Task ConnectAsync(IPEndPoint server, CancellationToken cancel)
    {
        await _socket.ConnectAsync(server, cancel);
        _output.Write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8);
        WriteFrame(Settings, 0, 0, [0, 4, 0x7F, 0xFF, 0xFF, 0xFF]); // INITIAL_WINDOW_SIZE
        WriteWindowUpdate(Window - 65_535);
    }

    /// <summary>Sends requests for the given time, then waits for the last answers.</summary>
    /// <returns>Answers received.</returns>
    /// <exception cref="InvalidOperationException">The server reset a stream, closed the connection or sent other bytes.</exception>
    public async Task<long> RunAsync(int streams, TimeSpan time, CancellationToken cancel)
    {
        long end = Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency);
        long done = 0, data = 0;
        int underWay = streams, filled = 0;
        for (int i = 0; i < streams; i++) WriteRequest();
        while (underWay > 0)
        {
            await FlushAsync(cancel);
            int read = await _socket.ReceiveAsync(_input.AsMemory(filled), cancel);
            if (read == 0) throw new InvalidOperationException("The server closed the connection under load.");
            filled += read;
            bool goesOn = Stopwatch.GetTimestamp() < end;
            int at = 0;
            while (filled - at >= FrameHeader)
            {
                int length = (_input[at] << 16) | BinaryPrimitives.ReadUInt16BigEndian(_input.AsSpan(at + 1));
                if (filled - at < FrameHeader + length) break;
                (byte type, byte flags) = (_input[at + 3], _input[at + 4]);
                if (type == Data)
                {
                    data += length;
                    _unacknowledged += length;
                }
                if (type is Data or Headers && (flags & EndStream) != 0)
                {
                    done++;
                    if (goesOn) WriteRequest();
                    else underWay--;
                }
                else if (type is Reset or GoAway)
                {
                    throw new InvalidOperationException($"The server sent a {(type == Reset ? "RST_STREAM" : "GOAWAY")} frame under load.");
                }
                else if (type is Settings or Ping && (flags & Ack) == 0)
                {
                    WriteFrame(type, Ack, 0, type == Ping ? _input.AsSpan(at + FrameHeader, length) : []);
                }
                at += FrameHeader + length;
            }
            _input.AsSpan(at, filled - at).CopyTo(_input);
            filled -= at;
            if (_unacknowledged > Window / 4) WriteWindowUpdate(_unacknowledged);
        }
        if (data != done * _expectedData) throw new InvalidOperationException($"The server sent {data} bytes in {done} answers of {_expectedData}.");
        return done;
    }

    public void Dispose()
    {
        _socket.Dispose();
        _output.Dispose();
    }

    private void WriteRequest()
    {
        WriteFrame(Headers, EndHeaders, _nextStream, _nextStream == 1 ? _firstHeaders : _laterHeaders);
        WriteFrame(Data, EndStream, _nextStream, _body);
        _nextStream += 2;
    }

    private void WriteWindowUpdate(int increment)
    {
        Span<byte> payload = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(payload, increment);
        WriteFrame(WindowUpdate, 0, 0, payload);
        _unacknowledged = 0;
    }

    private void WriteFrame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        Span<byte> header = stackalloc byte[FrameHeader];
        BinaryPrimitives.WriteInt32BigEndian(header, payload.Length << 8);
        (header[3], header[4]) = (type, flags);
        BinaryPrimitives.WriteInt32BigEndian(header[5..], stream);
        _output.Write(header);
        _output.Write(payload);
    }

    private async Task FlushAsync(CancellationToken cancel)
    {
        if (_output.Length == 0) return;
        ReadOnlyMemory<byte> rest = _output.GetBuffer().AsMemory(0, (int)_output.Length);
        while (!rest.IsEmpty) rest = rest[await _socket.SendAsync(rest, cancel)..];
        _output.SetLength(0);
    }

    /// <summary>A string literal of up to 126 bytes, without Huffman coding.</summary>
    private static byte[] Text(string text) => [(byte)text.Length, .. Encoding.ASCII.GetBytes(text)];
}
