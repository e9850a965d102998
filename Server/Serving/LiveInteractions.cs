using Recsys.Catalog;
using Recsys.Catalog.Ports;

namespace Recsys.Server.Serving;

/// <summary>The interactions that a version has not learned from, as they come. For one thread.</summary>
internal sealed class LiveInteractions(IInteractions interactions)
{
    /// <summary>Interactions that are learned at once; the others of a long stream follow.</summary>
    private const int AtOnce = 10_000;

    /// <summary>Machines' clocks differ: so much before a version's last interaction the stream is read from.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    private DateTimeOffset _until, _newest;
    private string? _position;
    private List<FollowedInteraction> _news = [];

    /// <summary>Another version serves from now: everything is new that it has not learned from.</summary>
    /// <param name="until">What was noted by then it has learned, but for <paramref name="held"/>.</param>
    /// <param name="held">What its training held out to be judged by.</param>
    public void Restart(DateTimeOffset until, IEnumerable<FollowedInteraction> held) =>
        (_until, _newest, _position, _news) = (until, until, null, [.. held]);

    /// <summary>Reads what came since it was read last.</summary>
    /// <returns>Whether there may be more.</returns>
    public async Task<bool> ReadAsync(CancellationToken cancel)
    {
        while (_news.Count < AtOnce)
        {
            var page = await interactions.ReadAsync(_position, _until - Skew, cancel);
            if (page.Interactions.Count == 0)
            {
                return false;
            }

            _position = page.Position;
            foreach (var one in page.Interactions)
            {
                // What a store tells again after it was filled anew, this server has learned.
                var noted = one.Interaction.Noted;
                if (noted > (one.Again ? _newest : _until))
                {
                    _news.Add(one);
                }

                _newest = noted > _newest && !one.Again ? noted : _newest;
            }
        }

        return true;
    }

    /// <summary>The news as item indexes; items that the table does not have are passed over.</summary>
    public IReadOnlyList<(IReadOnlyList<int> Before, int Item)> News(ItemTable items) =>
    [
        .. _news.Where(one => items.TryIndex(one.Interaction.ItemId, out _))
            .Select(one => (items.Known(one.Before).Items, items.IndexOf(one.Interaction.ItemId))),
    ];

    /// <summary>The news are in what serves.</summary>
    public void Brought() => _news = [];
}
