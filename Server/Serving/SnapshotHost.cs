using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Jobs.NightlyRebuild;

namespace Recsys.Server.Serving;

/// <summary>
/// Follows the pointer to the active version, appended items, live attributes and interactions, loads what is new beside what serves,
/// and swaps it in with one write. While the store does not answer, or a new version is damaged, the snapshot that serves goes on serving.
/// </summary>
internal sealed partial class SnapshotHost(
    IVersionStore versions,
    ISemanticIdStore ids,
    ILiveValues live,
    IInteractions interactions,
    IEnumerable<IVersionPartLoader> loaders,
    TimeProvider time,
    ILogger<SnapshotHost> log) : BackgroundService, ISnapshots
{
    /// <summary>How often the pointer is read: a swap is to be seen within two seconds, loading included.</summary>
    public static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>How often interactions are learned from: each time the model that answers is another.</summary>
    public static readonly TimeSpan LearnInterval = TimeSpan.FromSeconds(5);

    /// <summary>A version that failed to load, or a stream that cannot be read, is tried again after this long.</summary>
    public static readonly TimeSpan RetryDamaged = TimeSpan.FromSeconds(30);

    private readonly TaskCompletionSource _firstLook = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly LiveOverlay _live = new(live);
    private readonly LiveInteractions _events = new(interactions);
    private VersionSnapshot? _current;
    private string? _position;
    private string? _damaged;
    private DateTimeOffset _learnAt; // interactions, next
    private DateTimeOffset _damagedUntil, _streamDamagedUntil, _liveDamagedUntil, _stuckUntil;
    private bool _silent, _stale;

    /// <summary>The version that serves now; null before the first.</summary>
    public string? Serving => Volatile.Read(ref _current)?.Version;

    /// <summary>Completes once the pointer was read and its version (if any) loaded, or could not be.</summary>
    public Task FirstLook => _firstLook.Task;

    /// <summary>Completes when nothing is loaded any more. A host that stops before this has begun cancels its task: no fault.</summary>
    public Task Ended => Task.WhenAny(ExecuteTask ?? Task.CompletedTask);

    public SnapshotLease Acquire()
    {
        while (Volatile.Read(ref _current) is { } snapshot)
        {
            // Retired between the read and the retain: read again, the next one is in place.
            if (snapshot.TryRetain())
            {
                return new SnapshotLease(snapshot, snapshot.Release, Volatile.Read(ref _stale));
            }
        }

        throw CatalogException.Precondition(
            "No version is active. Build one with './recsys rebuild --data <dataset> --out <versions>', or activate one with './recsys "
            + "versions activate <version>'.");
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(PollInterval, time);
        try
        {
            do
            {
                await FollowAsync(stoppingToken);
                _firstLook.TrySetResult();
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            _firstLook.TrySetResult();
        }
    }

    public override void Dispose()
    {
        Interlocked.Exchange(ref _current, null)?.Release();
        base.Dispose();
    }

    /// <summary>One look at the pointer and the streams.</summary>
    internal async Task FollowAsync(CancellationToken cancel)
    {
        try
        {
            string? active = await ids.ActiveAsync(cancel);
            await ReadLiveAsync(cancel);
            _silent = false;
            bool wanted = active is not null && active != Serving && !(active == _damaged && time.GetUtcNow() < _damagedUntil);
            if (!(wanted && await SwapAsync(active!, cancel)) && _current is { } current && time.GetUtcNow() >= _stuckUntil)
            {
                await AppendAsync(current, cancel);
            }

            Volatile.Write(ref _stale, active != Serving || time.GetUtcNow() < _liveDamagedUntil);
        }
        catch (CatalogException e) when (e.Fault == Fault.Unavailable)
        {
            Volatile.Write(ref _stale, true);
            if (!_silent)
            {
                StoreSilent(log, Serving ?? "no version", e.Message);
                _silent = true;
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            _stuckUntil = time.GetUtcNow() + RetryDamaged;
            AppendedRefused(log, Serving ?? "(none)", _position ?? "the start", e.ToString());
        }
    }

    /// <returns>Whether the version serves now.</returns>
    private async Task<bool> SwapAsync(string version, CancellationToken cancel)
    {
        long started = time.GetTimestamp();
        var before = (_position, _streamDamagedUntil);
        VersionSnapshot? next = null;
        IReadOnlyList<FollowedInteraction> held;
        try
        {
            next = new VersionSnapshot(await Task.Run(() => LoadedVersion.Load(versions, version, loaders), cancel));
            held = HeldOutEvents.Read(next.Folder);
            (_position, _streamDamagedUntil) = (null, default);
            var grown = await GrownAsync(next, 0, learns: false, cancel);
            if (grown != next)
            {
                next.Release();
                next = grown;
            }
        }
        catch (Exception e)
        {
            next?.Release();
            (_position, _streamDamagedUntil) = before;
            if (e is OperationCanceledException or CatalogException { Fault: Fault.Unavailable })
            {
                throw;
            }

            (_damaged, _damagedUntil) = (version, time.GetUtcNow() + RetryDamaged);
            VersionRefused(log, version, Serving ?? "no version", e);
            return false;
        }

        Interlocked.Exchange(ref _current, next)?.Release();
        _live.Brought();
        _events.Restart(next.Folder.Manifest.Description.EventsUntil ?? next.Folder.Manifest.Created, held);
        _learnAt = default;
        VersionServes(log, version, next.Items.Count, time.GetElapsedTime(started).TotalMilliseconds);
        return true;
    }

    private async Task AppendAsync(VersionSnapshot current, CancellationToken cancel)
    {
        var next = await GrownAsync(current, current.Items.Count, learns: true, cancel);
        if (next != current)
        {
            Volatile.Write(ref _current, next);
            if (next.Items.Count > current.Items.Count)
            {
                ItemsAppended(log, next.Items.Count - current.Items.Count, current.Version);
            }

            current.Release();
        }

        _live.Brought();
        _events.Brought();
    }

    /// <summary>
    /// The snapshot with what the stream holds behind it, up to a damaged entry, and with the live attributes; itself where that is
    /// nothing.
    /// </summary>
    /// <param name="lived">Items that have their live attributes, but for the news.</param>
    /// <param name="learns">Whether it learns from the new interactions, which are new to the version that serves.</param>
    private async Task<VersionSnapshot> GrownAsync(VersionSnapshot current, int lived, bool learns, CancellationToken cancel)
    {
        var (items, position) = (current.Items, _position);
        if (time.GetUtcNow() >= _streamDamagedUntil)
        {
            _streamDamagedUntil = default;
            try
            {
                while (await ids.AppendedAsync(current.Version, position, cancel) is { Items.Count: > 0 } page)
                {
                    items = items.Append(page.Items);
                    position = page.Position;
                }
            }
            catch (CatalogException e) when (e.Fault != Fault.Unavailable)
            {
                _streamDamagedUntil = time.GetUtcNow() + RetryDamaged;
                AppendedRefused(log, current.Version, position ?? "the start", e.Message);
            }
        }

        items = _live.Bring(items, lived);
        var news = learns ? _events.News(items) : [];
        var next = ReferenceEquals(items, current.Items) && news.Count == 0 ? current : current.With(items, news);
        _position = position;
        return next;
    }

    /// <summary>Live attributes and interactions that cannot be read keep nothing else from being served, nor one another.</summary>
    private async Task ReadLiveAsync(CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        if (now >= _liveDamagedUntil && !await TryAsync(() => _live.ReadAsync(cancel)))
        {
            _liveDamagedUntil = now + RetryDamaged;
        }

        if (now >= _learnAt && _current is not null)
        {
            bool read = await TryAsync(async () => _learnAt = await _events.ReadAsync(cancel) ? now : now + LearnInterval);
            _learnAt = read ? _learnAt : now + RetryDamaged;
        }
    }

    private async Task<bool> TryAsync(Func<Task> read)
    {
        try
        {
            await read();
            return true;
        }
        catch (CatalogException e)
        {
            LiveRefused(log, e.Message);
            return false;
        }
    }

    [LoggerMessage(1, LogLevel.Information, "version {Version} serves: {Items} items, loaded in {Milliseconds:F0} "
        + "ms", EventName = "VersionServes")]
    private static partial void VersionServes(ILogger logger, string version, int items, double milliseconds);

    [LoggerMessage(2, LogLevel.Information, "{Count} items appended to version {Version}", EventName = "ItemsAppended")]
    private static partial void ItemsAppended(ILogger logger, int count, string version);

    [LoggerMessage(3, LogLevel.Warning, "the store does not answer, {Serving} goes on serving: {Message}", EventName = "StoreSilent")]
    private static partial void StoreSilent(ILogger logger, string? serving, string message);

    [LoggerMessage(4, LogLevel.Error, "version {Version} was not swapped in, {Serving} goes on serving", EventName = "VersionRefused")]
    private static partial void VersionRefused(ILogger logger, string? version, string? serving, Exception exception);

    [LoggerMessage(5, LogLevel.Error, "items appended to version {Version} after {Position} cannot be read, and are not recommended: "
        + "{Message}", EventName = "AppendedRefused")]
    private static partial void AppendedRefused(ILogger logger, string version, string position, string message);

    [LoggerMessage(6, LogLevel.Error, "live attributes or interactions cannot be read, and stay as they were: "
        + "{Message}", EventName = "LiveRefused")]
    private static partial void LiveRefused(ILogger logger, string message);
}
