namespace Recsys.Torch.Kernels;

/// <summary>The nearest of one level's codes, where codes change from call to call.</summary>
public static class NearestCodes
{
    private const long BlockEntries = 1L << 22; // distances at hand at once where there are no loops: 16 MiB

    /// <summary>Whether this processor has loops for it (greedy.cpp). Without them the answers take longer.</summary>
    public static bool Here => GreedyCodes.Here;

    /// <param name="x">[n, width]</param>
    /// <param name="codes">[size, width], at most 65,536.</param>
    /// <param name="prices">[size], added to the squared distances.</param>
    /// <returns>[n] int64</returns>
    public static Tensor Of(Tensor x, Tensor codes, Tensor prices)
    {
        using var _ = no_grad();
        if (!Here || x.device.type != DeviceType.CPU || x.dtype != ScalarType.Float32)
        {
            return Composed(x, codes, prices);
        }

        using var level = new GreedyCodes([codes], [prices]);
        return tensor(Array.ConvertAll(level.Encode(x), code => (long)code));
    }

    /// <summary>The same outside of tensors.</summary>
    /// <param name="x">[n × width], row-major.</param>
    /// <param name="codes">[size × width]</param>
    /// <param name="nearest">[n]</param>
    public static unsafe void Of(ReadOnlySpan<float> x, ReadOnlySpan<float> codes, int width, Span<long> nearest)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        int size = codes.Length / width;
        var (all, prices) = (tensor(codes.ToArray(), [size, width]), zeros(size));
        if (!Here)
        {
            Tensors.Values<long>(Composed(tensor(x.ToArray(), [nearest.Length, width]), all, prices)).CopyTo(nearest);
            return;
        }

        using var level = new GreedyCodes([all], [prices]);
        fixed (float* rows = x)
        {
            foreach (var (row, code) in level.Encode((nint)rows, nearest.Length).Index())
            {
                nearest[row] = code;
            }
        }
    }

    /// <summary>The same out of libtorch's own operators: for other devices and processors, and as the loops' oracle.</summary>
    internal static Tensor Composed(Tensor x, Tensor codes, Tensor prices)
    {
        var costs = codes.square().sum(1) + prices; // [size]
        var blocks = new List<Tensor>();
        long rows = Math.Max(1, BlockEntries / codes.size(0));
        for (long from = 0; from == 0 || from < x.size(0); from += rows)
        {
            using var scope = NewDisposeScope();
            var block = x.narrow(0, from, Math.Min(rows, x.size(0) - from));
            blocks.Add((costs - (matmul(block, codes.t()) * 2)).argmin(1).MoveToOuterDisposeScope());
        }

        return cat(blocks, 0);
    }
}
