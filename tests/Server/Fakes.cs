using Microsoft.Extensions.Logging;
using Recsys.Catalog;
using Recsys.Catalog.Ports;

namespace Recsys.Server.Tests;

/// <summary>A part that knows whether it was disposed, and makes others of its kind.</summary>
internal sealed class FakePart(ItemTable items, Action<FakePart> made) : IVersionPart
{
    public ItemTable Items => items;

    /// <summary>What it has learned: item and how many came before it.</summary>
    public string Learned { get; private init; } = "";

    public int Disposed { get; private set; }

    public IVersionPart WithItems(ItemTable table)
    {
        var part = new FakePart(table, made) { Learned = Learned };
        made(part);
        return part;
    }

    public IVersionPart WithInteractions(IReadOnlyList<(IReadOnlyList<int> Before, int Item)> interactions)
    {
        var part = new FakePart(items, made)
        {
            Learned = Learned + string.Concat(interactions.Select(one => $" {items.Ids[one.Item]}{one.Before.Count}")),
        };
        made(part);
        return part;
    }

    public void Dispose() => Disposed++;
}

/// <summary>A part that does not look at items, as a codebook.</summary>
internal sealed class FixedPart : IVersionPart
{
    public int Disposed { get; private set; }

    public IVersionPart WithItems(ItemTable table) => this;

    public void Dispose() => Disposed++;
}

/// <summary>Folders in memory: names and tables.</summary>
internal sealed class FakeFolders : IVersionStore, IVersionPartLoader
{
    public Dictionary<string, ItemTable> Tables { get; } = new(StringComparer.Ordinal);

    /// <summary>Every part that was loaded or made, in order.</summary>
    public List<FakePart> Parts { get; } = [];

    public int Opened { get; private set; }

    public string Root => "";

    public string Name => "fake";

    public IVersionPart Load(VersionFolder folder, ItemTable items)
    {
        var part = new FakePart(items, Parts.Add);
        Parts.Add(part);
        return part;
    }

    /// <summary>What opening a version throws; null: nothing.</summary>
    public Exception? Throws { get; set; }

    public VersionFolder Open(string version)
    {
        Opened++;
        if (Throws is not null)
        {
            throw Throws;
        }

        if (!Tables.TryGetValue(version, out var items))
        {
            throw CatalogException.Damaged($"{version} is damaged.");
        }

        var description = new VersionDescription("tiny", 1, [4, 4], items.Count, new Dictionary<string, double>());
        var files = new Dictionary<string, ManifestFile>();
        return new VersionFolder(version, "", new VersionManifest(version, DateTimeOffset.UnixEpoch, description, files), items);
    }

    public IReadOnlyList<VersionManifest> List() => [];

    public IVersionWriter Begin(string version) => throw new InvalidOperationException();

    public void Append(string version, params IReadOnlyList<AppendedItem> items) => throw new InvalidOperationException();

    public void Remove(string version) => throw new InvalidOperationException();

    public IReadOnlyList<AppendedItem> Appended(string version) => [];
}

/// <summary>A pointer and a stream in memory.</summary>
internal sealed class FakeIds : ISemanticIdStore
{
    public string? Active { get; set; }

    public List<AppendedItem> Stream { get; } = [];

    public int PageSize { get; init; } = 1000;

    public int PagesRead { get; private set; }

    /// <summary>The entry that cannot be read; -1: all can.</summary>
    public int Damaged { get; set; } = -1;

    public bool Silent { get; set; }

    public Task<string?> ActiveAsync(CancellationToken cancel) =>
        Silent ? Task.FromException<string?>(CatalogException.Unavailable("no answer")) : Task.FromResult(Active);

    public Task<AppendedPage> AppendedAsync(string version, string? after, CancellationToken cancel)
    {
        PagesRead++;
        int from = after is null ? 0 : int.Parse(after);
        var page = Stream.Skip(from).Take(PageSize).ToArray();
        return Damaged >= from && Damaged < from + page.Length
            ? Task.FromException<AppendedPage>(CatalogException.Damaged($"entry {Damaged} lacks a field"))
            : Task.FromResult(new AppendedPage(page, page.Length > 0 ? $"{from + page.Length}" : after));
    }

    public Task PublishAsync(string version, ItemTable items, CancellationToken cancel) => throw new InvalidOperationException();

    public Task RecoverAsync(string version, ItemTable items, IReadOnlyList<AppendedItem> appended, CancellationToken cancel) =>
        throw new InvalidOperationException();

    public Task<bool> IsPublishedAsync(string version, CancellationToken cancel) => throw new InvalidOperationException();

    public Task DropAsync(string version, CancellationToken cancel) => throw new InvalidOperationException();

    public Task<SemanticId?> FindAsync(string version, string itemId, CancellationToken cancel) => throw new InvalidOperationException();

    public Task<IReadOnlyList<string>> ItemsAsync(string version, ReadOnlyMemory<ushort> prefix, int limit, CancellationToken cancel) =>
        throw new InvalidOperationException();

    public Task<Assignment> AssignAsync(
        string version, string itemId, string title, ReadOnlyMemory<ushort> codes, ReadOnlyMemory<float> vector,
        CancellationToken cancel) =>
        throw new InvalidOperationException();

    public Task<bool> TryActivateAsync(string? expected, string next, CancellationToken cancel) => throw new InvalidOperationException();
}

/// <summary>A clock that stands still until it is told.</summary>
internal sealed class StoppedClock : TimeProvider
{
    public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch;

    public override DateTimeOffset GetUtcNow() => Now;
}

/// <summary>What was logged: event names and texts.</summary>
internal sealed class RecordedLog<T> : ILogger<T>
{
    public List<(string? Event, string Text)> Lines { get; } = [];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Add((eventId.Name, formatter(state, exception)));
}

/// <summary>Live values in memory, in the order in which they came.</summary>
internal sealed class FakeLive : ILiveValues
{
    public List<LiveValue> Stream { get; } = [];

    /// <summary>The next reading gives everything.</summary>
    public bool Forgotten { get; set; }

    /// <summary>What reading throws; null: nothing.</summary>
    public Exception? Throws { get; set; }

    public Task<int> WriteAsync(IReadOnlyList<LiveValue> values, CancellationToken cancel)
    {
        Stream.AddRange(values);
        return Task.FromResult(values.Count);
    }

    public Task<LivePage> ReadAsync(string? after, CancellationToken cancel)
    {
        if (Throws is not null)
        {
            return Task.FromException<LivePage>(Throws);
        }

        bool all = after is null || Forgotten;
        Forgotten = false;
        return Task.FromResult(new LivePage([.. Stream.Skip(all ? 0 : int.Parse(after!))], all, $"{Stream.Count}"));
    }
}

/// <summary>A stream of interactions in memory; a position is a number of entries.</summary>
internal sealed class FakeInteractions : IInteractions
{
    public List<FollowedInteraction> Stream { get; } = [];

    public Task<RecordedCounts> RecordAsync(IReadOnlyList<Interaction> interactions, CancellationToken cancel) =>
        throw new InvalidOperationException();

    public Task<InteractionPage> ReadAsync(string? after, DateTimeOffset since, CancellationToken cancel)
    {
        int from = after is null ? Stream.TakeWhile(one => one.Interaction.Noted < since).Count() : int.Parse(after);
        var page = Stream.Skip(from).Take(2).ToArray();
        return Task.FromResult(new InteractionPage(page, page.Length > 0 ? $"{from + page.Length}" : after));
    }
}
