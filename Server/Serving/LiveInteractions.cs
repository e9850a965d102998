using Recsys.Catalog;
using Recsys.Catalog.Ports;

namespace Recsys.Server.Serving;

/// <summary>The interactions that a version has not learned from, as they come. For one thread.</summary>
internal sealed class LiveInteractions(IInteractions interactions)
{
    /// <summary>Machines' clocks differ: so much before a version's last interaction the stream is read from.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    private DateTimeOffset _until;
    private string? _position;
    private List<FollowedInteraction> _news = [];

    /// <summary>Another version serves from now: everything is new that it has not learned from.</summary>
    /// <param name="until">When the last one was noted that it has.</param>
    public void Restart(DateTimeOffset until) => (_until, _position, _news) = (until, null, []);

    /// <summary>Reads what came since it was read last.</summary>
    public async Task ReadAsync(CancellationToken cancel)
    {
        for (bool more = true; more;)
        {
            var page = await interactions.ReadAsync(_position, _until - Skew, cancel);
            _news.AddRange(page.Interactions.Where(one => one.Interaction.Noted > _until));
            (_position, more) = (page.Position, page.Interactions.Count > 0);
        }
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
