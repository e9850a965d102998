using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Recsys.Catalog;
using Recsys.Catalog.Ports;

namespace Recsys.Server.Serving;

/// <summary>
/// Follows the pointer to the active version and the stream of appended items, loads what is new beside what serves, and swaps it
/// in with one write. While the store does not answer, or a new version is damaged, the snapshot that serves goes on serving.
/// </summary>
internal sealed partial class SnapshotHost(
    IVersionStore versions,
    ISemanticIdStore ids,
    IEnumerable<IVersionPartLoader> loaders,
    TimeProvider time,
    ILogger<SnapshotHost> log) : BackgroundService, ISnapshots
{
    /// <summary>How often the pointer is read: a swap is to be seen within two seconds, loading included.</summary>
    public static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>A version that failed to load is tried again after this long.</summary>
    public static readonly TimeSpan RetryDamaged = TimeSpan.FromSeconds(30);

    private readonly TaskCompletionSource _firstLook = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private VersionSnapshot? _current;
    private string? _position;
    private string? _damaged;
    private DateTimeOffset _damagedUntil;
    private bool _silent;

    /// <summary>The version that serves now; null before the first.</summary>
    public string? Serving => Volatile.Read(ref _current)?.Version;

    /// <summary>Completes once the pointer was read and its version (if any) loaded, or could not be.</summary>
    public Task FirstLook => _firstLook.Task;

    public SnapshotLease Acquire()
    {
        while (Volatile.Read(ref _current) is { } snapshot)
        {
            // Retired between the read and the retain: read again, the next one is in place.
            if (snapshot.Loaded.TryRetain())
            {
                return new SnapshotLease(snapshot, snapshot.Loaded.Release);
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
        Interlocked.Exchange(ref _current, null)?.Loaded.Release();
        base.Dispose();
    }

    /// <summary>One look at the pointer and the stream.</summary>
    internal async Task FollowAsync(CancellationToken cancel)
    {
        string? active = null;
        try
        {
            active = await ids.ActiveAsync(cancel);
            _silent = false;
            if (active is not null && active != Serving && !(active == _damaged && time.GetUtcNow() < _damagedUntil))
            {
                await SwapAsync(active, cancel);
            }
            else if (_current is { } current)
            {
                await AppendAsync(current, cancel);
            }
        }
        catch (CatalogException e) when (e.Fault == Fault.Unavailable)
        {
            if (!_silent)
            {
                StoreSilent(log, Serving, e.Message);
                _silent = true;
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            (_damaged, _damagedUntil) = (active, time.GetUtcNow() + RetryDamaged);
            VersionRefused(log, active, Serving, e);
        }
    }

    private async Task SwapAsync(string version, CancellationToken cancel)
    {
        long started = time.GetTimestamp();
        var loaded = await Task.Run(() => LoadedVersion.Load(versions, version, loaders), cancel);
        try
        {
            var (items, position) = await ReadAppendedAsync(version, loaded.Folder.Items, null, cancel);
            var next = new VersionSnapshot(loaded, items);
            _position = position;
            Interlocked.Exchange(ref _current, next)?.Loaded.Release();
        }
        catch
        {
            loaded.Release();
            throw;
        }

        VersionServes(log, version, loaded.Folder.Items.Count, time.GetElapsedTime(started).TotalMilliseconds);
    }

    private async Task AppendAsync(VersionSnapshot current, CancellationToken cancel)
    {
        var (items, position) = await ReadAppendedAsync(current.Version, current.Items, _position, cancel);
        _position = position;
        if (!ReferenceEquals(items, current.Items))
        {
            // Same loaded version: the reference passes to the new snapshot, nothing is released.
            Volatile.Write(ref _current, new VersionSnapshot(current.Loaded, items));
            ItemsAppended(log, items.Count - current.Items.Count, current.Version);
        }
    }

    private async Task<(ItemTable Items, string? Position)> ReadAppendedAsync(
        string version, ItemTable items, string? position, CancellationToken cancel)
    {
        while (true)
        {
            var page = await ids.AppendedAsync(version, position, cancel);
            if (page.Items.Count == 0)
            {
                return (items, page.Position ?? position);
            }

            items = items.Append(page.Items);
            position = page.Position;
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
}
