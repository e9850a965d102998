using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Recsys.Store;

internal enum RedisState
{
    /// <summary>Nobody listens, or nobody answers.</summary>
    Silent,

    /// <summary>It reads its append-only file.</summary>
    Loading,

    /// <summary>Somebody else's server: it refuses our password.</summary>
    Foreign,

    Answers,
}

/// <summary>Asks a Redis on this machine how it is, over a plain socket, and waits for its end.</summary>
internal static class RedisProbe
{
    private static readonly TimeSpan ReplyTimeout = TimeSpan.FromSeconds(5);

    public static async Task<RedisState> AskAsync(int port, string password, CancellationToken cancel)
    {
        using var socket = await TryConnectAsync(port, cancel);
        return socket is null ? RedisState.Silent : await AskAsync(socket, password, cancel);
    }

    /// <summary>Returns when the server has closed a connection that it had answered on, or could not be reached.</summary>
    public static async Task WaitForEndAsync(int port, string password, CancellationToken cancel)
    {
        using var socket = await TryConnectAsync(port, cancel);
        if (socket is null || await AskAsync(socket, password, cancel) is not (RedisState.Answers or RedisState.Loading))
        {
            return;
        }

        try
        {
            var buffer = new byte[256];
            while (await socket.ReceiveAsync(buffer, SocketFlags.None, cancel) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // Reset: the server was killed.
        }
    }

    /// <summary>Sends SHUTDOWN (which writes the append-only file out) and waits until the connection closes.</summary>
    public static async Task ShutdownAsync(int port, string password, CancellationToken cancel)
    {
        using var socket = await TryConnectAsync(port, cancel);
        if (socket is null)
        {
            return;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(ReplyTimeout);
        try
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes($"AUTH {password}\r\nSHUTDOWN\r\n"), SocketFlags.None, limit.Token);
            var buffer = new byte[256];
            while (await socket.ReceiveAsync(buffer, SocketFlags.None, limit.Token) > 0)
            {
            }
        }
        catch (Exception error) when (error is SocketException || (error is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            // Gone already, or hung: the caller looks after the process.
        }
    }

    /// <summary>Whether a port on the loopback address is free to listen on.</summary>
    public static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true); // as Redis does, so that TIME_WAIT is no obstacle
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            socket.Listen(1);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task<Socket?> TryConnectAsync(int port, CancellationToken cancel)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), cancel);
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<RedisState> AskAsync(Socket socket, string password, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(ReplyTimeout);
        try
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes($"AUTH {password}\r\nPING\r\n"), SocketFlags.None, limit.Token);
            var (buffer, reply) = (new byte[512], "");
            while (true)
            {
                int got = await socket.ReceiveAsync(buffer, SocketFlags.None, limit.Token);
                reply += Encoding.ASCII.GetString(buffer, 0, got);
                if (reply.Contains("+PONG", StringComparison.Ordinal))
                {
                    return RedisState.Answers;
                }

                if (reply.Contains("-LOADING", StringComparison.Ordinal))
                {
                    return RedisState.Loading;
                }

                if (reply.Contains("-WRONGPASS", StringComparison.Ordinal) || reply.Contains("-ERR", StringComparison.Ordinal) || reply.Contains("-NOAUTH", StringComparison.Ordinal))
                {
                    return RedisState.Foreign;
                }

                if (got == 0 || reply.Length > 4096)
                {
                    return RedisState.Silent;
                }
            }
        }
        catch (Exception error) when (error is SocketException || (error is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            return RedisState.Silent;
        }
    }
}
