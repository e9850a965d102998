using Recsys.Catalog;
using Recsys.Catalog.Ports;

namespace Recsys.Server.Serving;

/// <summary>
/// The live attributes as this server knows them: of all items, also of those that the version does not have, because the next one
/// may. What the store does not have any more was lost there, not taken back: that is told by a value. For one thread.
/// </summary>
internal sealed class LiveOverlay(ILiveValues live)
{
    private readonly Dictionary<string, Dictionary<string, LiveValue>> _values = new(StringComparer.Ordinal);
    private List<LiveValue> _news = [];
    private string? _position;

    /// <summary>Reads what came since it was read last.</summary>
    public async Task ReadAsync(CancellationToken cancel)
    {
        LivePage page;
        do
        {
            page = await live.ReadAsync(_position, cancel);
            _position = page.Position;
            foreach (var value in page.Values)
            {
                if (!_values.TryGetValue(value.ItemId, out var values))
                {
                    _values.Add(value.ItemId, values = new(StringComparer.Ordinal));
                }

                if (!values.TryGetValue(value.Attribute, out var known) || known.Time < value.Time)
                {
                    values[value.Attribute] = value;
                    _news.Add(value);
                }
            }
        }
        while (page is { IsAll: false, Values.Count: > 0 });
    }

    /// <summary>The table with the news since it was made, and with all that is known of the items behind its first ones.</summary>
    /// <param name="before">Items that had what is known of them before the news.</param>
    public ItemTable Bring(ItemTable items, int before) =>
        items.With(
            Enumerable.Range(before, items.Count - before)
                .SelectMany(item => _values.GetValueOrDefault(items.Ids[item])?.Values ?? Enumerable.Empty<LiveValue>()).Concat(_news));

    /// <summary>The news are in what serves.</summary>
    public void Brought() => _news = [];
}
