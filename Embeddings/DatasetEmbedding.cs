using Recsys.Catalog;

namespace Recsys.Embeddings;

/// <summary>One embedding of a dataset, brought or made, or why there is none.</summary>
/// <param name="Vectors">null where no item has one.</param>
/// <param name="Brought">The owner's own.</param>
/// <param name="Note">What is to be said; null when nothing is.</param>
public sealed record DatasetEmbedding(string Name, EmbeddingMatrix? Vectors, bool Brought = false, string? Note = null)
{
    /// <summary>Made by a fit to this catalogue's own data: other data give another space.</summary>
    public bool IsFitted { get; init; }

    /// <summary>Pictures that cannot be read: their items have no vector.</summary>
    public int Unreadable { get; init; }

    /// <summary>The first ten of them, each with the item and what is wrong.</summary>
    public IReadOnlyList<string> FirstUnreadable { get; init; } = [];
}

/// <summary>An embedding in a report.</summary>
/// <param name="Space">Encoder or fit; null where the owner brought it.</param>
/// <param name="Items">Items that have a vector.</param>
/// <param name="Unreadable">Pictures that cannot be read.</param>
/// <param name="FirstUnreadable">The first ten of them.</param>
public sealed record EmbeddingSummary(
    string Name, string? Space, int Dim, int Items, string? Note, int Unreadable, IReadOnlyList<string> FirstUnreadable)
{
    public static EmbeddingSummary Of(DatasetEmbedding embedding) => new(
        embedding.Name, embedding.Vectors?.Space, embedding.Vectors?.Dim ?? 0, embedding.Vectors?.Present.Count(present => present) ?? 0,
        embedding.Note, embedding.Unreadable, embedding.FirstUnreadable);

    /// <summary>For people: one line, and one more for each unreadable picture that is named.</summary>
    public IEnumerable<string> Lines(int catalogue)
    {
        yield return Items == 0
            ? $"{Name,-16} none: {Note}"
            : $"{Name,-16} {Items} of {catalogue} items, {Dim} dimensions ({Space ?? "brought"}){(Note is null ? "" : "; " + Note)}";
        if (Unreadable > 0)
        {
            yield return $"{"",-16} {Unreadable} pictures cannot be read:";
        }

        foreach (string picture in FirstUnreadable)
        {
            yield return $"{"",-18} {picture}";
        }
    }
}
