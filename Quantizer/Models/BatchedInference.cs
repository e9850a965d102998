namespace Recsys.Quantizer.Models;

/// <summary>
/// Runs a network over arrays in blocks. Blocks are filled up to a multiple of <see cref="Grain"/> rows, so that a row's result does
/// not depend on how many others it comes with: matrix products choose other kernels, and round otherwise, for odd sizes.
/// </summary>
internal static class BatchedInference
{
    private const int Grain = 64;
    private const int MaxRows = 8192;

    /// <param name="x">[n × width]</param>
    /// <param name="device">Where <paramref name="step"/> computes.</param>
    /// <param name="step">[rows, width] to [rows, outputs] of type <typeparamref name="TOut"/>.</param>
    /// <returns>[n × outputs]</returns>
    public static TOut[] Run<TIn, TOut>(ReadOnlySpan<TIn> x, int n, int outputs, Device device, Func<Tensor, Tensor> step)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        int width = x.Length / n;
        var result = new TOut[(long)n * outputs];
        using var _ = no_grad();
        for (int from = 0; from < n; from += MaxRows)
        {
            using var scope = NewDisposeScope();
            int rows = Math.Min(MaxRows, n - from), padded = (rows + Grain - 1) / Grain * Grain;
            var block = new TIn[padded * width];
            x.Slice(from * width, rows * width).CopyTo(block);
            var rowsHere = from_array(block).clone().view(padded, width).to(device); // clone: see Tensors.Copy
            using var data = step(rowsHere).cpu().contiguous().data<TOut>();
            data.ToArray().AsSpan(0, rows * outputs).CopyTo(result.AsSpan(from * outputs));
        }

        return result;
    }
}
