using Recsys.Catalog;

namespace Recsys.Embeddings.Text;

/// <summary>What of an item is read as its text.</summary>
public static class ItemText
{
    /// <summary>The title, then the text fields in ordinal order of their names, one sentence each; empty where there are none.</summary>
    public static string Of(Item item) => string.Join(". ", Parts(item).Where(part => !string.IsNullOrWhiteSpace(part)));

    internal static IEnumerable<string> Parts(Item item) =>
        item.Fields.OrderBy(field => field.Key, StringComparer.Ordinal).Select(field => field.Value).Prepend(item.Title);
}
