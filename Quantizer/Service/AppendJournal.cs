using Recsys.Catalog;
using Recsys.Catalog.Ports;

namespace Recsys.Quantizer.Service;

/// <summary>
/// Notes assigned items beside their version's folder. The store comes first, because it alone decides the token; a call that died
/// between the two is made good when it is repeated: an existing item that is in neither table nor journal is noted then.
/// </summary>
internal sealed class AppendJournal(IVersionStore versions, ISnapshot snapshot)
{
    private HashSet<string>? _noted;

    public void Note(AppendedItem item, bool existing)
    {
        if (existing && (snapshot.Items.TryIndex(item.ItemId, out _) || !Noted.Add(item.ItemId)))
        {
            return;
        }

        versions.Append(snapshot.Version, item);
        _noted?.Add(item.ItemId);
    }

    private HashSet<string> Noted =>
        _noted ??= versions.Appended(snapshot.Version).Select(item => item.ItemId).ToHashSet(StringComparer.Ordinal);
}
