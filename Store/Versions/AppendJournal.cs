using Recsys.Catalog;

namespace Recsys.Store.Versions;

/// <summary><c>appended/VERSION.jsonl</c>: the items that were appended to a version.</summary>
internal static class AppendJournal
{
    public const string FolderName = "appended";

    private sealed record Line(string Item, string Id, string Title, byte[]? Vector = null);

    public static void Append(string root, string version, IReadOnlyList<AppendedItem> items, TimeSpan patience, TimeProvider time) =>
        Of(root, version).Append(
            [.. items.Select(item => new Line(
                item.ItemId, item.SemanticId.ToString(), item.Title, item.Vector.IsEmpty ? null : VectorBytes.Of(item.Vector)))],
            patience, time);

    /// <summary>In order; an item that two writers appended counts once, as it was first.</summary>
    public static IReadOnlyList<AppendedItem> Read(string root, string version) =>
        [.. Of(root, version).Read().DistinctBy(line => line.Item, StringComparer.Ordinal)
            .Select(line => new AppendedItem(line.Item, SemanticId.Parse(line.Id), line.Title) { Vector = VectorBytes.Read(line.Vector) })];

    /// <summary>Removes a version's journal, where there is one.</summary>
    public static void Remove(string root, string version) => File.Delete(PathOf(root, version));

    private static Journal<Line> Of(string root, string version) =>
        new(PathOf(root, version), line => SemanticId.TryParse(line.Id, out _), "version.append");

    private static string PathOf(string root, string version) => Path.Combine(root, FolderName, version + ".jsonl");
}
