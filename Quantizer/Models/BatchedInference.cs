namespace Recsys.Quantizer.Models;

/// <summary>
/// Runs a network over arrays in blocks. Blocks are filled up to a multiple of <see cref="Grain"/> rows, so that a row's result does
/// not depend on how many others it comes with: matrix products choose other kernels, and round otherwise, for odd sizes.
/// </summary>
internal static class BatchedInference
{
    private const int Grain = 64;
    private const int MostRows = 8192;

    /// <param name="x">[n × width]</param>
    /// <param name="step">[rows, width] to [rows, outputs] of type <typeparamref name="TOut"/>.</param>
    /// <returns>[n × outputs]</returns>
    public static TOut[] Run<TIn, TOut>(ReadOnlySpan<TIn> x, int n, int outputs, Func<Tensor, Tensor> step)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        int width = x.Length / n;
        var result = new TOut[(long)n * outputs];
        using var _ = no_grad();
        for (int from = 0; from < n; from += MostRows)
        {
            using var scope = NewDisposeScope();
            int rows = Math.Min(MostRows, n - from), padded = (rows + Grain - 1) / Grain * Grain;
            var block = new TIn[padded * width];
            x.Slice(from * width, rows * width).CopyTo(block);
            using var data = step(from_array(block).clone().view(padded, width)).contiguous().data<TOut>(); // clone: see Tensors.Copy
            data.ToArray().AsSpan(0, rows * outputs).CopyTo(result.AsSpan(from * outputs));
        }

        return result;
    }
}
