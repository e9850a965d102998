using Recsys.Catalog;
using Recsys.Catalog.Ports;

namespace Recsys.Jobs.Tests;

/// <summary>The pointer and the published tables, in memory.</summary>
internal sealed class MemoryIdStore : ISemanticIdStore
{
    public Dictionary<string, ItemTable> Published { get; } = [];

    public string? Active { get; set; }

    /// <summary>Stands in for another activation that comes first.</summary>
    public Action? BeforeActivation { get; set; }

    public Task PublishAsync(string version, ItemTable items, CancellationToken cancel)
    {
        Published[version] = items;
        return Task.CompletedTask;
    }

    public Task RecoverAsync(string version, ItemTable items, IReadOnlyList<AppendedItem> appended, CancellationToken cancel) =>
        PublishAsync(version, items.Append(appended), cancel);

    public Task<bool> IsPublishedAsync(string version, CancellationToken cancel) => Task.FromResult(Published.ContainsKey(version));

    public Task DropAsync(string version, CancellationToken cancel) => Task.FromResult(Published.Remove(version));

    public Task<SemanticId?> FindAsync(string version, string itemId, CancellationToken cancel) =>
        Task.FromResult(Published[version].TryIndex(itemId, out int item) ? Published[version].SemanticIds[item] : (SemanticId?)null);

    public Task<IReadOnlyList<string>> ItemsAsync(string version, ReadOnlyMemory<ushort> prefix, int limit, CancellationToken cancel) =>
        Task.FromResult<IReadOnlyList<string>>([]);

    public Task<Assignment> AssignAsync(
        string version, string itemId, string title, ReadOnlyMemory<ushort> codes, ReadOnlyMemory<float> vector,
        CancellationToken cancel) =>
        Task.FromException<Assignment>(CatalogException.Precondition("A rebuild assigns nothing."));

    public Task<AppendedPage> AppendedAsync(string version, string? after, CancellationToken cancel) =>
        Task.FromResult(new AppendedPage([], null));

    public Task<string?> ActiveAsync(CancellationToken cancel) => Task.FromResult(Active);

    public Task<bool> TryActivateAsync(string? expected, string next, CancellationToken cancel)
    {
        BeforeActivation?.Invoke();
        if (Active != expected)
        {
            return Task.FromResult(false);
        }

        Active = next;
        return Task.FromResult(true);
    }
}
