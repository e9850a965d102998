namespace Recsys.Torch.Kernels;

/// <summary>The nearest code of each level to what the levels before it left over (greedy.cpp): products in bf16 find the few codes that
/// may be the nearest, float32 decides between them. For processors with AVX512-BF16.</summary>
internal sealed class GreedyCodes : IDisposable
{
    private const int Panel = 32, Lanes = 16;

    private readonly long[] _starts; // [levels + 1]
    private readonly Tensor _codes, _base, _lengths, _packed; // [total, width], [total], [levels, 2], [total × width / 2]
    private readonly int _dim;

    /// <param name="codes">[levels] of [size, dim] float32 on the CPU.</param>
    /// <param name="prices">[levels] of [size].</param>
    public GreedyCodes(IReadOnlyList<Tensor> codes, IReadOnlyList<Tensor> prices)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        _dim = (int)codes[0].size(1);
        (_starts, var all, _base) = ResidualCodes.Joined(codes, prices, Panel, ResidualCodes.UpTo(_dim, Lanes));
        _base = _base.DetachFromDisposeScope();
        _codes = all.DetachFromDisposeScope();
        var lost = (all - all.to(ScalarType.BFloat16).to(ScalarType.Float32)).square().sum(1).sqrt(); // [total]
        var length = all.square().sum(1).sqrt();
        var levels = Enumerable.Range(0, codes.Count).Select(level => (From: _starts[level], Size: _starts[level + 1] - _starts[level]));
        _lengths = cat([.. levels.SelectMany(level => new[] { length, lost }.Select(of => of.narrow(0, level.From, level.Size).amax([0])
            .reshape(1)))]).DetachFromDisposeScope();
        _packed = empty(all.numel() / 2, ScalarType.Int32).DetachFromDisposeScope();
        KernelLibrary.PackCodes(_codes.Address(), _codes.size(0), _codes.size(1), _packed.Address());
    }

    public static bool Here { get; } = KernelLibrary.HasGreedyCodes() != 0;

    /// <param name="x">[n, dim] float32 on the CPU.</param>
    /// <returns>[n × levels]</returns>
    public ushort[] Encode(Tensor x)
    {
        using var dense = x.contiguous();
        return Encode(dense.Address(), x.size(0));
    }

    /// <param name="x">Where [rows × dim] floats are.</param>
    /// <returns>[rows × levels]</returns>
    public unsafe ushort[] Encode(nint x, long rows)
    {
        int levels = _starts.Length - 1;
        var codes = new ushort[rows * levels];
        fixed (long* starts = _starts)
        fixed (ushort* to = codes)
        {
            KernelLibrary.GreedyCodes(new GreedyCodesCall
            {
                Rows = rows, Dim = _dim, Width = _codes.size(1), Levels = levels, Starts = (nint)starts, Codes = _codes.Address(),
                Base = _base.Address(), Lengths = _lengths.Address(), Packed = _packed.Address(), X = x, To = (nint)to,
            });
        }

        GC.KeepAlive((_codes, _base, _lengths, _packed)); // the loops have addresses alone
        return codes;
    }

    public void Dispose()
    {
        _codes.Dispose();
        _base.Dispose();
        _lengths.Dispose();
        _packed.Dispose();
    }
}
