using Recsys.Catalog;

namespace Recsys.Store;

/// <summary>
/// A Redis of our own for who has configured none: <c>redis-server</c> in its own folder, on the loopback address, with a password
/// and an append-only file. All processes that start it in one folder share one server. Whoever first notices that it died starts
/// it again, on the same port; the last to leave ends it.
/// </summary>
public sealed class PrivateRedis : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60), Backoff = TimeSpan.FromMilliseconds(500);

    private readonly RedisProcess _process;
    private readonly TimeProvider _time;
    private readonly FileStream _user;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _supervision;
    private int _restarts;
    private bool _disposed;

    private PrivateRedis(string folder, RedisProcess process, FileStream user, TimeProvider time)
    {
        (Folder, _process, _user, _time) = (folder, process, user, time);
        _supervision = Task.Run(SuperviseAsync);
    }

    public string Folder { get; }

    public int Port => _process.Port;

    /// <summary>For <see cref="RedisOptions"/>, or any client of StackExchange.Redis.</summary>
    public string ConnectionString => $"127.0.0.1:{_process.Port},password={_process.Password},abortConnect=false";

    /// <summary>How often this process has started the server again after it died.</summary>
    public int Restarts => Volatile.Read(ref _restarts);

    /// <summary>Why the last attempt to start it again failed; null when it answers.</summary>
    public CatalogException? LastFault { get; private set; }

    /// <summary>Where <c>redis-server</c> is on this machine; null where it is not installed.</summary>
    public static string? FindServer() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Where(folder => folder.Length > 0).Select(folder => Path.Combine(folder, "redis-server")).FirstOrDefault(File.Exists);

    /// <summary>Starts the folder's server, or joins the processes that use it already.</summary>
    /// <exception cref="CatalogException">FailedPrecondition: not installed; Unavailable: it does not start, with the end of its log.</exception>
    public static async Task<PrivateRedis> StartAsync(string folder, TimeProvider? time = null, CancellationToken cancel = default)
    {
        time ??= TimeProvider.System;
        string server = FindServer() ?? throw CatalogException.Precondition("redis-server is not in PATH. Install it (apt-get install redis-server), or configure the connection string of a Redis that you have.");
        folder = new DirectoryInfo(folder).FullName;
        if (OperatingSystem.IsWindows())
        {
            throw CatalogException.Precondition("A private Redis needs Linux; configure the connection string of a Redis that you have.");
        }

        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var process = new RedisProcess(folder, server, time);
        using (await FileLock.ExclusiveAsync(Path.Combine(folder, "start.lock"), Patience, time, cancel))
        {
            var user = await JoinAsync(process, time, cancel);
            try
            {
                await process.EnsureAsync(cancel);
                return new PrivateRedis(folder, process, user, time);
            }
            catch
            {
                user.Dispose();
                throw;
            }
        }
    }

    // The users' lock is held exclusively only while somebody ends the server that the last user left.
    private static async Task<FileStream> JoinAsync(RedisProcess process, TimeProvider time, CancellationToken cancel)
    {
        for (long start = time.GetTimestamp(); ;)
        {
            if (FileLock.TryShared(process.UsersLock) is { } user)
            {
                return user;
            }

            if (time.GetElapsedTime(start) > Patience)
            {
                throw CatalogException.Unavailable($"The Redis that is being ended holds '{process.UsersLock}' for more than {Patience.TotalSeconds} s. See who it is with: fuser {process.UsersLock}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), time, cancel);
        }
    }

    private async Task SuperviseAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await RedisProbe.WaitForEndAsync(_process.Port, _process.Password, _stop.Token);
                using (await FileLock.ExclusiveAsync(Path.Combine(Folder, "start.lock"), Patience, _time, _stop.Token))
                {
                    if (await _process.EnsureAsync(_stop.Token))
                    {
                        Interlocked.Increment(ref _restarts);
                    }
                }

                LastFault = null;
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                LastFault = error as CatalogException ?? CatalogException.Unavailable($"The private Redis in '{Folder}' could not be started again: {error.Message}", error);
                await Task.Delay(Backoff, _time, CancellationToken.None);
            }
        }
    }

    /// <summary>Leaves the server; the last to leave ends it and waits until it has.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        await _stop.CancelAsync();
        await _supervision;
        using (await FileLock.ExclusiveAsync(Path.Combine(Folder, "start.lock"), Patience, _time, CancellationToken.None))
        {
            await _user.DisposeAsync();
            for (int round = 0; round < 3;)
            {
                using var last = FileLock.TryExclusive(_process.UsersLock);
                if (last is not null)
                {
                    await _process.ShutdownAsync(CancellationToken.None);
                    break;
                }

                // Others use it, seen three times; or the reaper was faster, and then its end is waited for.
                using var others = FileLock.TryShared(_process.UsersLock);
                round += others is null ? 0 : 1;
                others?.Dispose();
                await Task.Delay(TimeSpan.FromMilliseconds(10), _time);
            }
        }

        _stop.Dispose();
    }
}
