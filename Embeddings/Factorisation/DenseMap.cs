namespace Recsys.Embeddings.Factorisation;

/// <summary>A dense matrix as a <see cref="ILinearMap"/>.</summary>
/// <param name="data">[rows × columns], row-major.</param>
internal sealed class DenseMap(float[] data, int columns) : ILinearMap
{
    public int Rows => data.Length / columns;

    public int Columns => columns;

    public float[] Multiply(float[] x, int width, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var result = new float[Rows * width];
        BlockArithmetic.ForEachPart(Rows, (_, from, to) =>
        {
            for (int row = from; row < to; row++)
            {
                var target = result.AsSpan(row * width, width);
                for (int column = 0; column < columns; column++)
                {
                    BlockArithmetic.AddScaled(data[(row * columns) + column], x.AsSpan(column * width, width), target);
                }
            }
        });
        return result;
    }

    public float[] MultiplyTransposed(float[] y, int width, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var result = new float[columns * width];
        BlockArithmetic.ForEachPart(columns, (_, from, to) =>
        {
            for (int row = 0; row < Rows; row++)
            {
                var source = y.AsSpan(row * width, width);
                for (int column = from; column < to; column++)
                {
                    BlockArithmetic.AddScaled(data[(row * columns) + column], source, result.AsSpan(column * width, width));
                }
            }
        });
        return result;
    }
}
