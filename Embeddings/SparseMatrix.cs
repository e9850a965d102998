using Recsys.Catalog;

namespace Recsys.Embeddings;

/// <summary>A matrix by its entries, sorted by row, then column; no place twice.</summary>
/// <param name="RowIndexes">[entries]</param>
/// <param name="ColumnIndexes">[entries]</param>
/// <param name="Values">[entries]</param>
public sealed record SparseMatrix(int Rows, int Columns, long[] RowIndexes, long[] ColumnIndexes, float[] Values)
{
    /// <summary>[Rows, Columns] sparse, or its transpose.</summary>
    public Tensor ToTensor(bool transposed = false)
    {
        using var scope = NewDisposeScope();
        long[] shape = transposed ? [Columns, Rows] : [Rows, Columns];
        var (rows, columns) = transposed ? (ColumnIndexes, RowIndexes) : (RowIndexes, ColumnIndexes);
        return sparse_coo_tensor(stack([tensor(rows), tensor(columns)]), tensor(Values), shape).MoveToOuterDisposeScope();
    }

    /// <summary>Item vectors by truncated SVD over the rows that hold something: an item without entries changes nobody's vector.</summary>
    /// <inheritdoc cref="TruncatedSvd.ItemVectors"/>
    internal EmbeddingMatrix ItemVectors(
        string name, string space, int dim, double power, int powerIterations, long seed, CancellationToken cancel)
    {
        if (Values.Length == 0)
        {
            return EmbeddingMatrix.Of(name, dim, Rows, []);
        }

        using var scope = NewDisposeScope();
        var (held, rows) = Compact(RowIndexes);
        var (used, columns) = Compact(ColumnIndexes);
        var compact = new SparseMatrix(held.Length, used.Length, rows, columns, Values);
        var svd = TruncatedSvd.Of(compact.ToTensor(), compact.ToTensor(transposed: true), dim, seed, powerIterations, cancel: cancel);
        return svd.ItemVectors(name, space, power, held, Rows);
    }

    private static (int[] Held, long[] Ranks) Compact(long[] indexes)
    {
        int[] held = [.. indexes.Distinct().Order().Select(index => (int)index)];
        var rank = held.Select((index, at) => (index, at)).ToDictionary(pair => (long)pair.index, pair => (long)pair.at);
        return (held, Array.ConvertAll(indexes, index => rank[index]));
    }
}
