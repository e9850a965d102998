namespace Recsys.Torch.Kernels;

/// <summary>States beside a table of item vectors (ranking.cpp).</summary>
public static class ItemScores
{
    /// <summary>log softmax(x Vᵀ) over all items; a row's numbers do not depend on the rows beside it, to the last bit.</summary>
    /// <param name="x">[rows × dim]</param>
    /// <param name="vectors">[items, dim] float32 or bf16, dense, on the CPU.</param>
    /// <returns>[rows, items]</returns>
    /// <exception cref="TorchException">Shapes that do not fit together.</exception>
    public static unsafe Tensor LogProbabilities(ReadOnlySpan<float> x, Tensor vectors)
    {
        Check(x, vectors);
        long rows = x.Length / vectors.size(1);
        var scores = empty(rows, vectors.size(0));
        fixed (float* values = x)
        {
            KernelLibrary.Rank(
                (nint)values, rows, vectors.size(1), vectors.Address(), KernelLibrary.TypeOf(vectors), vectors.size(0), scores.Address());
        }

        GC.KeepAlive(vectors); // the loops have its address alone
        return scores;
    }

    /// <summary>x · v of some rows of a table. On this thread alone.</summary>
    /// <param name="x">[dim]</param>
    /// <param name="vectors">[items, dim] float32 or bf16, dense, on the CPU.</param>
    /// <param name="rows">[n]</param>
    /// <returns>[n]</returns>
    /// <exception cref="TorchException">Shapes that do not fit together, or a row that there is not.</exception>
    public static unsafe float[] Products(ReadOnlySpan<float> x, Tensor vectors, ReadOnlySpan<int> rows)
    {
        Check(x, vectors);
        uint last = 0;
        foreach (int row in rows)
        {
            last = Math.Max(last, (uint)row); // a negative one is large
        }

        if (x.Length != vectors.size(1) || (rows.Length > 0 && last >= vectors.size(0)))
        {
            throw new TorchException(
                $"{x.Length} values and row {(int)last} of vectors [{string.Join(", ", vectors.shape)}]; they must fit together.");
        }

        var products = new float[rows.Length];
        fixed (float* values = x, to = products)
        fixed (int* wanted = rows)
        {
            KernelLibrary.Products(values, x.Length, vectors.Address(), KernelLibrary.TypeOf(vectors), wanted, rows.Length, to);
        }

        GC.KeepAlive(vectors);
        return products;
    }

    private static void Check(ReadOnlySpan<float> x, Tensor vectors)
    {
        if (vectors.dim() != 2 || vectors.device.type != DeviceType.CPU || vectors.dtype is not (ScalarType.Float32 or ScalarType.BFloat16)
            || !vectors.is_contiguous() || x.Length % vectors.size(1) != 0)
        {
            throw new TorchException(
                $"{x.Length} values, and vectors {vectors.dtype} [{string.Join(", ", vectors.shape)}]; they must be rows, and float32 or "
                + "bf16 [items, dim], dense on the CPU.");
        }
    }
}
