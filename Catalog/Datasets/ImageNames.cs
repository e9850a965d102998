namespace Recsys.Catalog.Datasets;

/// <summary>
/// Finds an item's picture among the names in an archive or folder: the item's image column as a full name or as a file name;
/// without that column, the file whose name without extension is the item's id.
/// </summary>
internal static class ImageNames
{
    private static readonly string[] Extensions = [".jpg", ".jpeg", ".png", ".webp", ".gif"];

    public static bool IsImage(string name) => Extensions.Contains(Path.GetExtension(name), StringComparer.OrdinalIgnoreCase);

    /// <returns>[items] index into <paramref name="names"/>, or -1.</returns>
    public static int[] Resolve(IEnumerable<(string Id, string? Image)> items, IReadOnlyList<string> names)
    {
        var full = new Dictionary<string, int>(StringComparer.Ordinal);
        var file = new Dictionary<string, int>(StringComparer.Ordinal);
        var stem = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int at = 0; at < names.Count; at++)
        {
            full[names[at]] = at;
            Note(file, Path.GetFileName(names[at]), at);
            if (IsImage(names[at]))
            {
                Note(stem, Path.GetFileNameWithoutExtension(names[at]), at);
            }
        }

        return [.. items.Select(item => item.Image is null
            ? stem.GetValueOrDefault(item.Id, -1)
            : full.TryGetValue(item.Image, out int at) ? at : file.GetValueOrDefault(item.Image, -1))];
    }

    // A name that two folders of the archive share stands for neither of them.
    private static void Note(Dictionary<string, int> names, string name, int at) => names[name] = names.ContainsKey(name) ? -1 : at;
}
