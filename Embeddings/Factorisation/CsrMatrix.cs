namespace Recsys.Embeddings.Factorisation;

/// <summary>
/// A sparse matrix in compressed rows: row r's entries are <c>Columns[Offsets[r] .. Offsets[r + 1]]</c>, ascending.
/// The transpose is kept as well, so that both products run over rows in parallel without atomics.
/// </summary>
public sealed class CsrMatrix : ILinearMap
{
    private CsrMatrix? _transpose;

    /// <param name="offsets">[rows + 1]</param>
    /// <param name="columns">[entries] column of each entry, ascending within a row.</param>
    /// <param name="values">[entries]</param>
    /// <param name="columnCount">Columns of the matrix.</param>
    public CsrMatrix(int[] offsets, int[] columns, float[] values, int columnCount)
        => (Offsets, ColumnIndexes, Values, Columns) = (offsets, columns, values, columnCount);

    public int Rows => Offsets.Length - 1;

    public int Columns { get; }

    public int[] Offsets { get; }

    public int[] ColumnIndexes { get; }

    public float[] Values { get; }

    /// <summary>The value at a place; 0 where nothing is stored.</summary>
    public float this[int row, int column]
    {
        get
        {
            int at = Array.BinarySearch(ColumnIndexes, Offsets[row], Offsets[row + 1] - Offsets[row], column);
            return at < 0 ? 0 : Values[at];
        }
    }

    public float[] Multiply(float[] x, int width, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var result = new float[Rows * width];
        BlockArithmetic.ForEachPart(Rows, (_, from, to) =>
        {
            for (int row = from; row < to; row++)
            {
                var target = result.AsSpan(row * width, width);
                for (int at = Offsets[row]; at < Offsets[row + 1]; at++)
                {
                    BlockArithmetic.AddScaled(Values[at], x.AsSpan(ColumnIndexes[at] * width, width), target);
                }
            }
        });
        return result;
    }

    public float[] MultiplyTransposed(float[] y, int width, CancellationToken cancel)
        => (_transpose ??= Transpose()).Multiply(y, width, cancel);

    /// <summary>The transpose, by counting sort; entries stay ascending.</summary>
    public CsrMatrix Transpose()
    {
        var offsets = new int[Columns + 1];
        foreach (int column in ColumnIndexes)
        {
            offsets[column + 1]++;
        }

        for (int column = 0; column < Columns; column++)
        {
            offsets[column + 1] += offsets[column];
        }

        var next = offsets.AsSpan(0, Columns).ToArray();
        var (rows, values) = (new int[Values.Length], new float[Values.Length]);
        for (int row = 0; row < Rows; row++)
        {
            for (int at = Offsets[row]; at < Offsets[row + 1]; at++)
            {
                int to = next[ColumnIndexes[at]]++;
                (rows[to], values[to]) = (row, Values[at]);
            }
        }

        return new CsrMatrix(offsets, rows, values, Rows) { _transpose = this };
    }
}
