namespace Recsys.Torch.Kernels;

/// <summary>States beside a table of item vectors (decoding.cpp).</summary>
public static class ItemScores
{
    /// <summary>log softmax(x Vᵀ) over all items; a row's numbers do not depend on the rows beside it, to the last bit.</summary>
    /// <param name="x">[rows × dim]</param>
    /// <param name="vectors">[items, dim] float32, dense, on the CPU.</param>
    /// <returns>[rows, items]</returns>
    /// <exception cref="TorchException">Shapes that do not fit together.</exception>
    public static unsafe Tensor LogProbabilities(ReadOnlySpan<float> x, Tensor vectors)
    {
        if (vectors.dim() != 2 || vectors.device.type != DeviceType.CPU || vectors.dtype != ScalarType.Float32 || !vectors.is_contiguous()
            || x.Length % vectors.size(1) != 0)
        {
            throw new TorchException(
                $"{x.Length} values, and vectors {vectors.dtype} [{string.Join(", ", vectors.shape)}]; they must be rows, and float32 "
                + "[items, dim], dense on the CPU.");
        }

        long rows = x.Length / vectors.size(1);
        var scores = empty(rows, vectors.size(0));
        fixed (float* values = x)
        {
            KernelLibrary.Rank((nint)values, rows, vectors.size(1), vectors.Address(), vectors.size(0), scores.Address());
        }

        GC.KeepAlive(vectors); // the loops have its address alone
        return scores;
    }
}
