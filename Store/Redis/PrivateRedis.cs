using System.Diagnostics;
using System.Text;
using Recsys.Catalog;

namespace Recsys.Store.Redis;

/// <summary>
/// A Redis of our own for who has configured none, in a folder of its own, on a Unix socket that only this user may open. All processes
/// that start it there share one server. Each has one child: <c>flock</c>, which waits for the folder's lock and then becomes
/// <c>redis-server</c>. So the kernel lets one server run, starts the next one when it ends, however it ends, and ends each child with
/// its parent: the last to leave, or to be killed, leaves nothing behind.
/// </summary>
public sealed class PrivateRedis : IAsyncDisposable
{
    private const int MaxSocketBytes = 107; // sockaddr_un

    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(1), EndTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10), Pause = TimeSpan.FromMilliseconds(250); // before a restart

    // setsid: Ctrl-C is for the parent alone. setpriv: SIGTERM when the thread that started it ends, at the latest with its process;
    // sh asks for a parent that was gone before. All of them exec, so it stays one process.
    // appendfsync always: an assignment that was acknowledged is on disk. With everysec, Redis answers before its fsync, and an item
    // could come back from a power cut with another semantic ID than the one its caller was given.
    private static readonly string[] Command =
    [
        "setpriv", "--pdeathsig", "TERM", "sh", "-c", "exec >>redis.log 2>&1 </dev/null; [ $PPID = $0 ] && exec \"$@\"",
        $"{Environment.ProcessId}", "flock", "--no-fork", "server.lock", "redis-server", "--port", "0", "--unixsocket", "redis.sock",
        "--unixsocketperm", "700", "--pidfile", "redis.pid", "--save", "", "--appendonly", "yes", "--appendfsync", "always",
        "--maxmemory-policy", "noeviction",
    ];

    private readonly string _folder;
    private readonly Thread _keeper;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _refused = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Process? _child;

    private PrivateRedis(string folder)
    {
        _folder = folder;
        (_keeper = new Thread(Keep) { IsBackground = true, Name = "private Redis" }).Start();
    }

    /// <summary>Where it listens; for <see cref="RedisOptions.Connection"/>.</summary>
    public string Socket => Path.Combine(_folder, "redis.sock");

    /// <summary>Where <c>redis-server</c> is on this machine; null where it is not installed.</summary>
    public static string? FindServer() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Where(folder => folder.Length > 0).Select(folder => Path.Combine(folder, "redis-server")).FirstOrDefault(File.Exists);

    /// <summary>Starts the folder's server, or joins the processes that use it already; returns when it answers.</summary>
    /// <exception cref="CatalogException">FailedPrecondition: not possible here; Unavailable: no answer, with the log's end.</exception>
    public static async Task<PrivateRedis> StartAsync(string folder, CancellationToken cancel = default)
    {
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        int bytes = Encoding.UTF8.GetByteCount(Path.Combine(folder, "redis.sock"));
        if (!OperatingSystem.IsLinux() || FindServer() is null || bytes > MaxSocketBytes)
        {
            throw CatalogException.Precondition($"A private Redis in '{folder}' needs Linux, redis-server in PATH (apt-get install "
                + $"redis-server), and a path for its socket of at most {MaxSocketBytes} bytes ({bytes}). Or name a Redis that you have.");
        }

        Directory.CreateDirectory(folder);
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var redis = new PrivateRedis(folder);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(StartTimeout);
        try
        {
            await await Task.WhenAny(redis.AnswerAsync(limit.Token), redis._refused.Task);
            return redis;
        }
        catch (Exception error)
        {
            await limit.CancelAsync();
            await redis.DisposeAsync();
            cancel.ThrowIfCancellationRequested();
            string log = Path.Combine(folder, "redis.log");
            string end = File.Exists(log) ? string.Join('\n', File.ReadLines(log).TakeLast(12)) : "(no log)";
            throw CatalogException.Unavailable($"The redis-server in '{folder}' does not answer: {error.Message} Its log ends:\n{end}\n"
                + $"If its append-only file is damaged, remove '{folder}': everything in it is rebuilt from the version folders.", error);
        }
    }

    /// <summary>Leaves the server. The last to leave ends it; if another is left, that one's child takes over.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _keeper.Join();
        try
        {
            await (_child?.WaitForExitAsync() ?? Task.CompletedTask).WaitAsync(EndTimeout);
        }
        catch (TimeoutException)
        {
            _child!.Kill(); // hung; what it acknowledged is on disk
        }
    }

    private async Task AnswerAsync(CancellationToken cancel)
    {
        while (!File.Exists(Socket))
        {
            await Task.Delay(Poll, cancel); // the client would wait for seconds before it looks again
        }

        await using var connection = await RedisConnections.ConnectAsync(new RedisOptions(Socket) { Timeout = StartTimeout });
        await new RedisCalls(connection).RunAsync("start", redis => redis.PingAsync(), cancel);
    }

    // A thread of its own: one of the pool could end, and its child with it.
    private void Keep()
    {
        var start = new ProcessStartInfo("setsid", Command)
        {
            WorkingDirectory = _folder,
            RedirectStandardInput = true, // all three, so that .NET leaves the terminal's settings alone
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("LD_PRELOAD"); // an allocator set up for trainings is none for Redis
        start.Environment.Remove("MALLOC_CONF");
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                _child?.Dispose();
                _child = null;
                _child = Process.Start(start)!;
                _child.WaitForExitAsync(_stop.Token).GetAwaiter().GetResult();
                if (_child.ExitCode is > 0 and < 128) // by itself; above, by a signal
                {
                    throw new InvalidOperationException($"it ended with exit code {_child.ExitCode}.");
                }
            }
            catch (OperationCanceledException)
            {
                return; // disposed: this thread ends, and so does its child
            }
            catch (Exception error)
            {
                _refused.TrySetException(error);
            }

            _stop.Token.WaitHandle.WaitOne(Pause);
        }
    }
}
