using Recsys.Catalog;
using StackExchange.Redis;

namespace Recsys.Store.Redis;

/// <summary>Entries of a version's stream of appended items: item, id, title, vector.</summary>
internal static class StreamEntries
{
    /// <exception cref="CatalogException">Damaged: a field is missing.</exception>
    public static AppendedItem Read(StreamEntry entry)
    {
        return new AppendedItem(Field("item"), SemanticId.Parse(Field("id")), Field("title"))
        {
            Vector = VectorBytes.Read((byte[]?)entry["vector"]),
        };

        string Field(string name) =>
            (string?)entry[name] ?? throw CatalogException.Damaged($"Entry {entry.Id} of the appended items lacks the field {name}.");
    }

    public static NameValueEntry[] Of(AppendedItem item) =>
    [
        new("item", item.ItemId), new("id", item.SemanticId.ToString()), new("title", item.Title),
        new("vector", VectorBytes.Of(item.Vector)),
    ];
}
