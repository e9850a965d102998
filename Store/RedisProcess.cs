using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Recsys.Catalog;
using Recsys.Catalog.Datasets;

namespace Recsys.Store;

/// <summary>
/// One folder's <c>redis-server</c>: writes its configuration, starts it, finds a running one again. The caller holds the folder's
/// start lock. Files: <c>port</c>, <c>password</c>, <c>redis.conf</c>, <c>redis.pid</c>, <c>redis.log</c>, <c>appendonlydir/</c>.
/// </summary>
internal sealed class RedisProcess(string folder, string server, TimeProvider time)
{
    // Below Linux's range of ephemeral ports: nobody's outgoing connection takes the port while the server is being restarted.
    private const int FirstPort = 20000, LastPort = 32000;

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30), LoadTimeout = TimeSpan.FromMinutes(10), EndTimeout = TimeSpan.FromSeconds(10), Poll = TimeSpan.FromMilliseconds(20);

    private const UnixFileMode Secret = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private int _pid;

    public int Port { get; private set; }

    public string Password { get; private set; } = "";

    public string UsersLock => Path.Combine(folder, "users.lock");

    /// <summary>Makes sure that the server answers; true when it had to be started.</summary>
    /// <exception cref="CatalogException">Unavailable, with the end of its log.</exception>
    public async Task<bool> EnsureAsync(CancellationToken cancel)
    {
        ReadFiles();
        if (Port != 0 && await AwaitAnswerAsync(TimeSpan.Zero, cancel))
        {
            Remember();
            return false;
        }

        await EndAsync(Running(), cancel); // hung
        if (Port == 0 || !RedisProbe.IsFree(Port))
        {
            Port = Enumerable.Range(0, 200).Select(_ => RandomNumberGenerator.GetInt32(FirstPort, LastPort)).FirstOrDefault(RedisProbe.IsFree);
            if (Port == 0)
            {
                throw CatalogException.Unavailable($"No free port from {FirstPort} to {LastPort} on 127.0.0.1 was found in 200 attempts.");
            }
        }

        WriteFiles();
        StartReaper();
        Run(server, Path.Combine(folder, "redis.conf"));
        if (!await AwaitAnswerAsync(StartTimeout, cancel))
        {
            throw CatalogException.Unavailable($"redis-server in '{folder}' does not answer on port {Port} after {StartTimeout.TotalSeconds} s. The end of its log:\n{LogTail()}\nIf its append-only file is damaged, remove '{folder}': everything in it is rebuilt from the version folders.");
        }

        Remember();
        return true;
    }

    /// <summary>Asks the server to end, and waits for it.</summary>
    public async Task ShutdownAsync(CancellationToken cancel)
    {
        await RedisProbe.ShutdownAsync(Port, Password, cancel);
        await EndAsync(_pid, cancel);
    }

    // Redis removes its pid file before it ends, so that is read while it answers.
    private void Remember() => _pid = Running();

    private async Task<bool> AwaitAnswerAsync(TimeSpan patience, CancellationToken cancel)
    {
        for (long start = time.GetTimestamp(); ;)
        {
            var state = await RedisProbe.AskAsync(Port, Password, cancel);
            if (state == RedisState.Answers)
            {
                return true;
            }

            var limit = state == RedisState.Loading ? LoadTimeout : patience;
            if (time.GetElapsedTime(start) >= limit)
            {
                return false;
            }

            await Task.Delay(Poll, time, cancel);
        }
    }

    // A server of this folder that lives but does not answer would write the same append-only file as its successor.
    private async Task EndAsync(int pid, CancellationToken cancel)
    {
        bool killed = false;
        for (long start = time.GetTimestamp(); IsOurs(pid);)
        {
            if (!killed && time.GetElapsedTime(start) > EndTimeout)
            {
                Kill(pid);
                killed = true;
            }

            await Task.Delay(Poll, time, cancel);
        }
    }

    /// <summary>The live process that the pid file names, if it is this folder's server; else 0.</summary>
    internal int Running()
    {
        string path = Path.Combine(folder, "redis.pid");
        return File.Exists(path) && int.TryParse(File.ReadAllText(path).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out int pid) && IsOurs(pid) ? pid : 0;
    }

    // The server changes into its folder, so a recycled pid does not pass for it; nor does a zombie, whose folder cannot be read.
    private bool IsOurs(int pid)
    {
        try
        {
            return pid > 0 && new DirectoryInfo($"/proc/{pid}/cwd").ResolveLinkTarget(returnFinalTarget: false)?.FullName == folder;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static void Kill(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            process.Kill();
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException)
        {
            // It ended by itself.
        }
    }

    private void ReadFiles()
    {
        string port = Path.Combine(folder, "port"), password = Path.Combine(folder, "password");
        Port = File.Exists(port) && int.TryParse(File.ReadAllText(port).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out int known) && known is > 0 and < 65536 ? known : 0;
        Password = File.Exists(password) && File.ReadAllText(password).Trim() is { Length: > 0 } old ? old : RandomNumberGenerator.GetHexString(32, lowercase: true);
    }

    // appendfsync always: an assignment that was acknowledged is on disk. With everysec, Redis answers before its fsync, and an item
    // could come back from a power cut with another semantic ID than the one its caller was given. Bulk publishing is pipelined, and
    // Redis syncs once for all commands of one turn of its event loop, so it costs little there.
    private void WriteFiles()
    {
        string quoted = folder.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
        AtomicFile.WriteText(Path.Combine(folder, "port"), $"{Port}\n");
        AtomicFile.WriteText(Path.Combine(folder, "password"), $"{Password}\n", Secret);
        AtomicFile.WriteText(Path.Combine(folder, "redis.conf"), $"""
            bind 127.0.0.1
            port {Port}
            protected-mode yes
            requirepass {Password}
            dir "{quoted}"
            daemonize yes
            pidfile "{quoted}/redis.pid"
            logfile "{quoted}/redis.log"
            save ""
            appendonly yes
            appendfsync always
            maxmemory-policy noeviction

            """, Secret);
    }

    /// <summary>
    /// Where every process that used the server was killed, nobody is left to end it. So a waiting <c>flock</c> does: it gets the
    /// users' lock when the last of them is gone, however they went. It creates no file, and holds the lock until the server is gone.
    /// </summary>
    private void StartReaper()
    {
        const string Script = """
            exec </dev/null >/dev/null 2>&1
            cd "$1" && exec 8<reaper.lock 9<users.lock || exit
            flock -w 5 8 && flock -x 9 || exit
            pid=$(cat redis.pid) || exit
            if [ "$(readlink "/proc/$pid/cwd")" = "$1" ]; then
              kill "$pid"
              while [ "$(readlink "/proc/$pid/cwd")" = "$1" ]; do sleep 0.02; done
            fi
            """;
        FileLock.TryShared(Path.Combine(folder, "reaper.lock"))?.Dispose(); // is made here, if it is missing
        try
        {
            Run("setsid", "-f", "sh", "-c", Script, "sh", folder);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // No util-linux: a server whose users were all killed then lives on until the next start finds it.
        }
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.WaitForExit();
    }

    private string LogTail() => Path.Combine(folder, "redis.log") is var log && File.Exists(log) ? string.Join('\n', File.ReadLines(log).TakeLast(12)) : "(no log)";
}
