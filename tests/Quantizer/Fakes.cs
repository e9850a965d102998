using Grpc.Core;
using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Quantizer.Encoding;

namespace Recsys.Quantizer.Tests;

/// <summary>The ports in memory, with the promises of the real ones.</summary>
internal sealed class FakeSnapshots(string version, ItemTable items, Codebook? codebook) : ISnapshots, ISnapshot
{
    private ItemTable _items = items;

    public int Open { get; private set; }

    public string Version => version;

    public ItemTable Items => _items;

    /// <summary>As the server's poll of the store's stream does.</summary>
    public void Append(params AppendedItem[] items) => _items = _items.Append(items);

    public T? Find<T>()
        where T : class => codebook as T;

    public SnapshotLease Acquire()
    {
        Open++;
        return new SnapshotLease(this, () => Open--);
    }
}

internal sealed class FakeStore : ISemanticIdStore
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, SemanticId> _ids = new(StringComparer.Ordinal);

    /// <summary>Fails the assignment of this item, once.</summary>
    public string? FailFor { get; set; }

    public Task<Assignment> AssignAsync(
        string version, string itemId, string title, ReadOnlyMemory<ushort> codes, ReadOnlyMemory<float> vector, CancellationToken cancel)
    {
        lock (_gate)
        {
            if (itemId == FailFor)
            {
                FailFor = null;
                return Task.FromException<Assignment>(CatalogException.Unavailable("The store does not answer."));
            }

            if (_ids.TryGetValue(itemId, out var id))
            {
                return Task.FromResult(new Assignment(id, true));
            }

            id = new SemanticId(codes.Span);
            id = id.WithCollision((ushort)_ids.Values.Count(id.SameCodes));
            _ids.Add(itemId, id);
            return Task.FromResult(new Assignment(id, false));
        }
    }

    public Task<SemanticId?> FindAsync(string version, string itemId, CancellationToken cancel)
        => Task.FromResult(_ids.TryGetValue(itemId, out var id) ? id : (SemanticId?)null);

    public Task<IReadOnlyList<string>> ItemsAsync(string version, ReadOnlyMemory<ushort> prefix, int limit, CancellationToken cancel)
    {
        var below = _ids.Where(item => item.Value.Codes().AsSpan().StartsWith(prefix.Span)).Select(item => item.Key);
        return Task.FromResult<IReadOnlyList<string>>([.. below.Order(StringComparer.Ordinal).Take(limit)]);
    }

    public Task RecoverAsync(string version, ItemTable items, IReadOnlyList<AppendedItem> appended, CancellationToken cancel) =>
        PublishAsync(version, items.Append(appended), cancel);

    public Task PublishAsync(string version, ItemTable items, CancellationToken cancel)
    {
        for (int item = 0; item < items.Count; item++)
        {
            _ids[items.Ids[item]] = items.SemanticIds[item];
        }

        return Task.CompletedTask;
    }

    public Task<bool> IsPublishedAsync(string version, CancellationToken cancel) => Task.FromResult(true);

    public Task DropAsync(string version, CancellationToken cancel) => Task.CompletedTask;

    public Task<AppendedPage> AppendedAsync(string version, string? after, CancellationToken cancel) =>
        Task.FromResult(new AppendedPage([], after));

    public Task<string?> ActiveAsync(CancellationToken cancel) => Task.FromResult<string?>("v1");

    public Task<bool> TryActivateAsync(string? expected, string next, CancellationToken cancel) => Task.FromResult(false);
}

internal sealed class FakeVersions : IVersionStore
{
    public List<AppendedItem> Journal { get; } = [];

    /// <summary>Throws at the next append: a process that dies between store and journal.</summary>
    public bool Die { get; set; }

    public string Root => "";

    /// <summary>Appends so far: each is one fsync.</summary>
    public int Writes { get; private set; }

    public void Append(string version, params IReadOnlyList<AppendedItem> items)
    {
        Writes++;
        if (Die)
        {
            Die = false;
            throw new IOException("died");
        }

        Journal.AddRange(items);
    }

    public void Remove(string version) => throw CatalogException.NotFound(version);

    public IReadOnlyList<AppendedItem> Appended(string version) => [.. Journal];

    public IReadOnlyList<VersionManifest> List() => [];

    public VersionFolder Open(string version) => throw CatalogException.NotFound(version);

    public IVersionWriter Begin(string version) => throw CatalogException.Precondition(version);
}

internal sealed class FakeCall(CancellationToken cancel = default) : ServerCallContext
{
    protected override string MethodCore => "";

    protected override string HostCore => "";

    protected override string PeerCore => "";

    protected override DateTime DeadlineCore => DateTime.MaxValue;

    protected override Metadata RequestHeadersCore { get; } = [];

    protected override CancellationToken CancellationTokenCore => cancel;

    protected override Metadata ResponseTrailersCore { get; } = [];

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore => new("", []);

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
        throw new InvalidOperationException();
}
