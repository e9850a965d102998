namespace Recsys.Catalog.Ports;

/// <summary>
/// Interactions as they happen. Every method throws <see cref="CatalogException"/> with <see cref="Fault.Unavailable"/> when the store does
/// not answer.
/// </summary>
public interface IInteractions
{
    /// <summary>
    /// Takes interactions in: on disk before this returns, for the next rebuild, then followed by every server. The same call may be
    /// repeated. What is known already, or older than the user's newest or than a month, is noted on disk and changes no server.
    /// </summary>
    Task<RecordedCounts> RecordAsync(IReadOnlyList<Interaction> interactions, CancellationToken cancel);

    /// <summary>What servers follow, in its order.</summary>
    /// <param name="after">From an earlier page; null: from what is remembered at or after <paramref name="since"/>.</param>
    Task<InteractionPage> ReadAsync(string? after, DateTimeOffset since, CancellationToken cancel);
}

/// <param name="Late">Older than the user's newest one, or than what is remembered of a user.</param>
public sealed record RecordedCounts(int New, int Duplicates, int Late);

/// <param name="Position">Pass it as <c>after</c> of the next call; null: there was nothing yet.</param>
public sealed record InteractionPage(IReadOnlyList<FollowedInteraction> Interactions, string? Position);

/// <param name="Before">Item ids that the user touched before, oldest first: the last ones that are remembered.</param>
/// <param name="Again">The store was filled anew: servers may have had it before.</param>
public sealed record FollowedInteraction(Interaction Interaction, IReadOnlyList<string> Before, bool Again = false);
