namespace Recsys.Embeddings.Factorisation;

/// <summary>Orthonormal bases of tall narrow blocks.</summary>
internal static class Orthonormal
{
    /// <summary>
    /// Makes the columns of y orthonormal in place, spanning the same space (Cholesky QR, done twice: Yamamoto et al. 2015).
    /// A column that depends on those before it becomes zero, so rank-deficient input is fine.
    /// </summary>
    /// <param name="y">[rows × width], row-major.</param>
    public static void Columns(float[] y, int width)
    {
        ColumnsOnce(y, width);
        ColumnsOnce(y, width);
    }

    private static void ColumnsOnce(float[] y, int width)
    {
        var r = Cholesky(BlockArithmetic.UpperGram(y, width), width);
        BlockArithmetic.ForEachPart(y.Length / width, (_, from, to) =>
        {
            var row = new double[width];
            for (int at = from; at < to; at++)
            {
                var target = y.AsSpan(at * width, width);
                BlockArithmetic.Widen(target, row);
                for (int i = 0; i < width; i++)
                {
                    double pivot = r[(i * width) + i];
                    row[i] = pivot == 0 ? 0 : row[i] / pivot;
                    BlockArithmetic.AddScaled(-row[i], r.AsSpan((i * width) + i + 1, width - i - 1), row.AsSpan(i + 1));
                }

                BlockArithmetic.Narrow(row, target);
            }
        });
    }

    /// <summary>R of G = RᵀR; a pivot that is only rounding noise (single precision input) is 0, with its row.</summary>
    private static double[] Cholesky(double[] gram, int width)
    {
        var diagonal = Enumerable.Range(0, width).Select(i => gram[(i * width) + i]).ToArray();
        for (int i = 0; i < width; i++)
        {
            var row = gram.AsSpan(i * width, width);
            double pivot = row[i] <= 1e-11 * diagonal[i] ? 0 : Math.Sqrt(row[i]);
            for (int j = i; j < width; j++)
            {
                row[j] = pivot == 0 ? 0 : row[j] / pivot;
            }

            for (int k = i + 1; k < width; k++)
            {
                BlockArithmetic.AddScaled(-row[k], row[k..], gram.AsSpan((k * width) + k, width - k));
            }
        }

        return gram;
    }
}
