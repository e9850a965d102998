using Recsys.Catalog;
using Recsys.Catalog.Ports;

namespace Recsys.Quantizer.Service;

/// <summary>
/// Notes assigned items beside their version's folder. The store comes first, because it alone decides the token; a call that died
/// between the two is made good when it is repeated: an existing item that is in neither the version's folder nor its journal is
/// noted then. That a snapshot has it says nothing: its appended items come from the store.
/// </summary>
internal static class AppendJournal
{
    /// <summary>Returns when all of them are on disk.</summary>
    public static void Note(IVersionStore versions, ISnapshot snapshot, IReadOnlyList<(AppendedItem Item, bool Existing)> assigned)
    {
        var appended = assigned
            .Where(one => !snapshot.Items.TryIndex(one.Item.ItemId, out int index) || index >= snapshot.Items.BaseCount)
            .DistinctBy(one => one.Item.ItemId).ToArray();
        var noted = appended.Any(one => one.Existing)
            ? versions.Appended(snapshot.Version).Select(item => item.ItemId).ToHashSet(StringComparer.Ordinal)
            : [];
        var missing = appended.Where(one => !noted.Contains(one.Item.ItemId)).Select(one => one.Item).ToArray();
        if (missing.Length > 0)
        {
            versions.Append(snapshot.Version, missing);
        }
    }
}
