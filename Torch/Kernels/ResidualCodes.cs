namespace Recsys.Torch.Kernels;

/// <summary>
/// The codes of residual codebooks: the nearest code of each level (<see cref="GreedyCodes"/>), or the best tuple of a beam by one product
/// with all codes and a table of the codes' products with each other (codes.cpp): what the steps r, r − e, … give, but for rounding.
/// For codes that stay as they were; safe from any thread; for the CPU.
/// </summary>
public sealed class ResidualCodes : IDisposable
{
    private const int Lanes = 16;

    private readonly Lazy<GreedyCodes> _greedy;
    private readonly Lazy<Tables> _tables;
    private readonly int _dim;

    /// <param name="codes">[levels] of [size, dim] float32 on the CPU.</param>
    /// <param name="prices">[levels] of [size], added to the squared distances.</param>
    /// <exception cref="TorchException">Shapes that do not fit together.</exception>
    public ResidualCodes(IReadOnlyList<Tensor> codes, IReadOnlyList<Tensor> prices)
    {
        if (codes.Count == 0 || codes.Count != prices.Count || codes.Zip(prices).Any(level => level.First.dim() != 2
            || level.First.size(1) != codes[0].size(1) || level.Second.dim() != 1 || level.Second.size(0) != level.First.size(0)
            || level.First.size(0) is < 1 or > 65_536))
        {
            throw new TorchException("Codes and prices must be [size, dim] and [size] for each level, 1 to 65536 codes a level.");
        }

        _dim = (int)codes[0].size(1);
        _greedy = new Lazy<GreedyCodes>(() => new GreedyCodes(codes, prices));
        _tables = new Lazy<Tables>(() => Tables.Of(codes, prices));
    }

    /// <param name="x">[n, dim] float32 on the CPU.</param>
    /// <param name="beam">Tuples kept from level to level, 1 to 1,024; 1 takes each level's nearest code.</param>
    /// <returns>[n × levels] row-major; of equal costs the smallest codes.</returns>
    /// <exception cref="TorchException">A shape that does not fit, or a beam out of range.</exception>
    public ushort[] Encode(Tensor x, int beam)
    {
        if (x.dim() != 2 || x.size(1) != _dim || x.dtype != ScalarType.Float32 || x.device.type != DeviceType.CPU)
        {
            throw new TorchException(
                $"x is {x.dtype} [{string.Join(", ", x.shape)}] on {x.device}; it must be Float32 [n, {_dim}] on the CPU.");
        }

        if (beam is < 1 or > 1024)
        {
            throw new TorchException($"The beam is {beam}; allowed are 1 to 1024.");
        }

        using var _ = no_grad();
        return beam == 1 && GreedyCodes.Here ? _greedy.Value.Encode(x) : Search(x, beam);
    }

    /// <summary>Each level's nearest code, as <see cref="Encode"/> finds it with a beam of 1.</summary>
    /// <param name="x">[n × dim]</param>
    /// <returns>[n × levels]; null: this processor takes the way of tensors.</returns>
    public unsafe ushort[]? Nearest(ReadOnlySpan<float> x, int n)
    {
        if (x.Length != (long)n * _dim)
        {
            throw new TorchException($"{x.Length} values are not {n} rows of {_dim}.");
        }

        fixed (float* rows = x)
        {
            return GreedyCodes.Here ? _greedy.Value.Encode((nint)rows, n) : null;
        }
    }

    public void Dispose()
    {
        if (_greedy.IsValueCreated)
        {
            _greedy.Value.Dispose();
        }

        if (_tables.IsValueCreated)
        {
            _tables.Value.Dispose();
        }
    }

    /// <summary>The beam's way, for a beam of 1 too.</summary>
    internal unsafe ushort[] Search(Tensor x, int beam)
    {
        var tables = _tables.Value;
        using var scores = matmul(x, tables.Codes); // [n, total]
        int levels = tables.Starts.Length - 1;
        var codes = new ushort[x.size(0) * levels];
        fixed (long* starts = tables.Starts)
        fixed (ushort* to = codes)
        {
            KernelLibrary.ResidualCodes(new ResidualCodesCall
            {
                Rows = x.size(0), Levels = levels, Total = tables.Starts[^1], Beam = beam, Starts = (nint)starts,
                Base = tables.Base.Address(), Between = tables.Between.Address(), Scores = scores.Address(), Codes = (nint)to,
            });
        }

        GC.KeepAlive(tables); // the loops have addresses alone
        return codes;
    }

    /// <summary>All levels' codes one below the other, each level filled up to whole groups of rows with zeros of infinite cost.</summary>
    /// <param name="group">Rows of a group.</param>
    /// <param name="width">Values of a row; those beyond the codes' own are zeros.</param>
    /// <returns>[levels + 1] where each level starts, [total, width], and [total] ‖e‖² + price.</returns>
    internal static (long[] Starts, Tensor Codes, Tensor Base) Joined(
        IReadOnlyList<Tensor> codes, IReadOnlyList<Tensor> prices, int group, long width)
    {
        var starts = new long[codes.Count + 1];
        foreach (var (level, of) in codes.Index())
        {
            starts[level + 1] = starts[level] + UpTo(of.size(0), group);
        }

        var (all, costs) = (zeros(starts[^1], width), full([starts[^1]], float.PositiveInfinity));
        foreach (var (level, (of, price)) in codes.Zip(prices).Index())
        {
            all.narrow(0, starts[level], of.size(0)).narrow(1, 0, of.size(1)).copy_(of);
            costs.narrow(0, starts[level], of.size(0)).copy_(of.detach().square().sum(1) + price);
        }

        return (starts, all, costs);
    }

    internal static long UpTo(long n, int group) => (n + group - 1) / group * group;

    /// <param name="Starts">[levels + 1]</param>
    /// <param name="Codes">[dim, total]</param>
    /// <param name="Base">[total]</param>
    /// <param name="Between">[total, total] 2 e_i·e_j</param>
    private sealed record Tables(long[] Starts, Tensor Codes, Tensor Base, Tensor Between) : IDisposable
    {
        public static Tables Of(IReadOnlyList<Tensor> codes, IReadOnlyList<Tensor> prices)
        {
            using var scope = NewDisposeScope();
            var (starts, all, costs) = Joined(codes, prices, Lanes, codes[0].size(1));
            var turned = all.transpose(0, 1).contiguous();
            var between = (matmul(all, turned) * 2).contiguous();
            return new Tables(
                starts, turned.DetachFromDisposeScope(), costs.DetachFromDisposeScope(), between.DetachFromDisposeScope());
        }

        public void Dispose()
        {
            Codes.Dispose();
            Base.Dispose();
            Between.Dispose();
        }
    }
}
