namespace Recsys.Catalog.Ports;

/// <summary>
/// Attributes of items that change while versions stay as they are: prices, stock. They belong to item ids, whatever version serves. Every
/// method throws <see cref="CatalogException"/> with <see cref="Fault.Unavailable"/> when the store does not answer.
/// </summary>
public interface ILiveValues
{
    /// <summary>
    /// Takes values in: on disk before this returns, then seen by every server. A value that is no later than the one that is there is late
    /// and changes nothing; so the same call may be repeated.
    /// </summary>
    /// <returns>How many were not late.</returns>
    Task<int> WriteAsync(IReadOnlyList<LiveValue> values, CancellationToken cancel);

    /// <summary>What came after a position; with none, or where what came is not known any more, everything.</summary>
    /// <param name="after">From an earlier page; null: the beginning.</param>
    Task<LivePage> ReadAsync(string? after, CancellationToken cancel);
}

/// <param name="Values">In their order.</param>
/// <param name="IsAll">They are all that there are, not what is new.</param>
/// <param name="Position">Pass it as <c>after</c> of the next call.</param>
public sealed record LivePage(IReadOnlyList<LiveValue> Values, bool IsAll, string Position);
