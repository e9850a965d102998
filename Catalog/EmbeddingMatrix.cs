namespace Recsys.Catalog;

/// <summary>One vector per item of a catalogue, row-major; an item may lack one.</summary>
public sealed class EmbeddingMatrix
{
    /// <param name="name">text, collaborative, image, or the owner's own name.</param>
    /// <param name="data">[count × dim], row-major, finite.</param>
    /// <param name="present">[count]; false where the item has no vector (its row is zero).</param>
    /// <exception cref="CatalogException">Length mismatch, or a value that is not finite.</exception>
    public EmbeddingMatrix(string name, int dim, float[] data, bool[] present)
    {
        if (dim <= 0 || data.Length != (long)dim * present.Length)
        {
            throw CatalogException.Invalid($"Embedding '{name}': {data.Length} values are not {present.Length} rows of {dim}.");
        }

        for (int i = 0; i < data.Length; i++)
        {
            if (!float.IsFinite(data[i]))
            {
                throw CatalogException.Invalid(
                    $"Embedding '{name}': row {i / dim}, column {i % dim} is {data[i]}. Every value must be finite; leave the item out "
                    + "instead.");
            }
        }

        (Name, Dim, Data, Present) = (name, dim, data, present);
    }

    /// <summary>The embedding of the items that have a vector; the others lack one.</summary>
    /// <param name="count">Items of the catalogue.</param>
    /// <param name="vectors">Item index and <paramref name="dim"/> values each.</param>
    /// <exception cref="CatalogException">A value that is not finite.</exception>
    public static EmbeddingMatrix Of(
        string name, int dim, int count, IEnumerable<(int Item, ReadOnlyMemory<float> Values)> vectors, string? space = null)
    {
        var (data, present) = (new float[(long)count * dim], new bool[count]);
        foreach (var (item, values) in vectors)
        {
            values.CopyTo(data.AsMemory(item * dim, dim));
            present[item] = true;
        }

        return new EmbeddingMatrix(name, dim, data, present) { Space = space };
    }

    public string Name { get; }

    /// <summary>The space of the vectors, by which those of another encoder or of another fit are told apart; null where the owner
    /// brought them.</summary>
    public string? Space { get; init; }

    /// <summary>How another item's vector comes to be a row beside these; null: that cannot be said.</summary>
    public EmbeddingPlace? Place { get; init; }

    public int Dim { get; }

    public int Count => Present.Length;

    /// <summary>[Count × Dim], row-major.</summary>
    public float[] Data { get; }

    /// <summary>[Count]</summary>
    public bool[] Present { get; }

    public ReadOnlySpan<float> Row(int item) => Data.AsSpan(item * Dim, Dim);
}
