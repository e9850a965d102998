namespace Recsys.Embeddings.Factorisation;

/// <summary>
/// The leading part of a singular value decomposition, by random projection and power iteration with orthonormalisation in between
/// (Halko, Martinsson and Tropp 2011, algorithms 4.4 and 5.1). Deterministic for a seed.
/// </summary>
/// <param name="Rank">Singular triples kept; at most the smaller side of the matrix.</param>
/// <param name="U">[rows × Rank] left vectors, row-major; zero columns beyond the matrix's own rank.</param>
/// <param name="S">[Rank] singular values, descending.</param>
/// <param name="V">[columns × Rank] right vectors, row-major; the largest entry of each is positive.</param>
public sealed record TruncatedSvd(int Rank, float[] U, double[] S, float[] V)
{
    /// <param name="powerIterations">Each multiplies the gap between kept and dropped directions; 4 is plenty for text.</param>
    /// <param name="oversampling">Extra directions carried along and dropped at the end.</param>
    public static TruncatedSvd Of(
        ILinearMap a, int rank, long seed, int powerIterations = 4, int oversampling = 16, CancellationToken cancel = default)
    {
        rank = Math.Min(rank, Math.Min(a.Rows, a.Columns));
        int width = Math.Min(rank + oversampling, Math.Min(a.Rows, a.Columns));
        var q = a.Multiply(Gaussian(a.Columns * width, seed), width, cancel); // [rows, width]
        for (int iteration = 0; iteration < powerIterations; iteration++)
        {
            Orthonormal.Columns(q, width);
            var z = a.MultiplyTransposed(q, width, cancel); // [columns, width]
            Orthonormal.Columns(z, width);
            q = a.Multiply(z, width, cancel);
        }

        Orthonormal.Columns(q, width);
        var bt = a.MultiplyTransposed(q, width, cancel); // Bᵀ = Aᵀ·Q, [columns, width]
        var (values, vectors) = SymmetricEigen.Decompose(BlockArithmetic.UpperGram(bt, width), width);
        return Assemble(q, bt, values, vectors, rank, width);
    }

    // B·Bᵀ = W·Λ·Wᵀ  ⇒  S = √Λ, U = Q·W, V = Bᵀ·W·S⁻¹.
    private static TruncatedSvd Assemble(float[] q, float[] bt, double[] values, double[] vectors, int rank, int width)
    {
        var s = new double[rank];
        var (left, right) = (new double[width * rank], new double[width * rank]);
        for (int k = 0; k < rank; k++)
        {
            // Below this a singular value is the rounding noise of single precision blocks.
            s[k] = values[k] <= 1e-12 * values[0] ? 0 : Math.Sqrt(values[k]);
            for (int i = 0; i < width && s[k] > 0; i++)
            {
                left[(i * rank) + k] = vectors[(i * width) + k];
                right[(i * rank) + k] = vectors[(i * width) + k] / s[k];
            }
        }

        var u = BlockArithmetic.MultiplySmall(q, width, left, rank);
        var v = BlockArithmetic.MultiplySmall(bt, width, right, rank);
        FixSigns(u, v, rank);
        return new TruncatedSvd(rank, u, s, v);
    }

    // Singular vectors are unique only up to sign.
    private static void FixSigns(float[] u, float[] v, int rank)
    {
        for (int k = 0; k < rank; k++)
        {
            float largest = 0;
            for (int at = k; at < v.Length; at += rank)
            {
                largest = Math.Abs(v[at]) > Math.Abs(largest) ? v[at] : largest;
            }

            if (largest < 0)
            {
                Negate(u, k, rank);
                Negate(v, k, rank);
            }
        }
    }

    private static void Negate(float[] block, int column, int width)
    {
        for (int at = column; at < block.Length; at += width)
        {
            block[at] = -block[at];
        }
    }

    private static float[] Gaussian(int length, long seed)
    {
        var random = new Random(unchecked((int)(seed ^ (seed >> 32))));
        var values = new float[length];
        for (int i = 0; i < length; i++)
        {
            // Box and Muller; 1 - u lies in (0, 1].
            values[i] = (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        }

        return values;
    }
}
