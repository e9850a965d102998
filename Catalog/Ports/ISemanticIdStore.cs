namespace Recsys.Catalog.Ports;

/// <summary>
/// The shared lookup tables and the pointer to the active version (Redis in production). Everything in it can be rebuilt from
/// version folders. Every method throws <see cref="CatalogException"/> with <see cref="Fault.Unavailable"/> when the store does not answer.
/// </summary>
public interface ISemanticIdStore
{
    /// <summary>Writes a version's whole table, both ways; idempotent, resumable.</summary>
    Task PublishAsync(string version, ItemTable items, CancellationToken cancel);

    /// <summary>
    /// Brings a version into the store as its folder and journal say, whatever the store still holds of it: table, and appended items with
    /// their stream.
    /// </summary>
    Task RecoverAsync(string version, ItemTable items, IReadOnlyList<AppendedItem> appended, CancellationToken cancel);

    /// <summary>Whether a version's table is there in full.</summary>
    Task<bool> IsPublishedAsync(string version, CancellationToken cancel);

    /// <summary>Removes a version's table. The active version is refused with FailedPrecondition.</summary>
    Task DropAsync(string version, CancellationToken cancel);

    /// <summary>The item's semantic ID in a version; null where it has none.</summary>
    Task<SemanticId?> FindAsync(string version, string itemId, CancellationToken cancel);

    /// <summary>Ids of at most <paramref name="limit"/> items whose codes start with <paramref name="prefix"/> (1 to all levels).</summary>
    Task<IReadOnlyList<string>> ItemsAsync(string version, ReadOnlyMemory<ushort> prefix, int limit, CancellationToken cancel);

    /// <summary>
    /// Gives an item with these codes its semantic ID, atomically: an item that has one keeps it; two writers at once never give
    /// two items one ID. A new assignment is also put on the version's stream of appended items.
    /// </summary>
    /// <param name="vector"><see cref="AppendedItem.Vector"/></param>
    Task<Assignment> AssignAsync(
        string version, string itemId, string title, ReadOnlyMemory<ushort> codes, ReadOnlyMemory<float> vector, CancellationToken cancel);

    /// <summary>Appended items after a stream position (null: from the start), with the position to go on from.</summary>
    Task<AppendedPage> AppendedAsync(string version, string? after, CancellationToken cancel);

    /// <summary>The active version; null when there is none.</summary>
    Task<string?> ActiveAsync(CancellationToken cancel);

    /// <summary>
    /// Makes <paramref name="next"/> active if <paramref name="expected"/> (null: none) still is. True too where it is active already;
    /// false when another was faster.
    /// </summary>
    Task<bool> TryActivateAsync(string? expected, string next, CancellationToken cancel);
}

/// <param name="Existing">The item had this ID before.</param>
public sealed record Assignment(SemanticId Id, bool Existing);

/// <param name="Position">Pass it as <c>after</c> of the next call; null when the stream is empty.</param>
public sealed record AppendedPage(IReadOnlyList<AppendedItem> Items, string? Position);
