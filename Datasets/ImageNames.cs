namespace Recsys.Datasets;

/// <summary>
/// Finds an item's picture among the names in an archive or folder: the item's image column as a full name or as a file name;
/// where no item names one, the file whose name without extension is the item's id.
/// </summary>
internal static class ImageNames
{
    /// <summary>Largest picture file that is read, in bytes.</summary>
    public const int MaxBytes = 64 << 20;

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

        var (byImage, byId, named) = (new List<int>(), new List<int>(), false);
        foreach (var (id, image) in items)
        {
            named |= image is not null;
            byId.Add(stem.GetValueOrDefault(id, -1));
            byImage.Add(image is null ? -1 : full.TryGetValue(image, out int at) ? at : file.GetValueOrDefault(image, -1));
        }

        // Where some items name their picture, an item that names none has none, even if a file happens to be called like its id.
        return [.. named ? byImage : byId];
    }

    // A name that two folders of the archive share stands for neither of them.
    private static void Note(Dictionary<string, int> names, string name, int at) => names[name] = names.ContainsKey(name) ? -1 : at;
}
