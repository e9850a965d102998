namespace Recsys.Torch.Kernels;

/// <summary>
/// The codes of residual codebooks, by one product with all codes and a table of the codes' products with each other (codes.cpp): what the
/// steps r, r − e, … give, but for rounding. Made once for codes that no longer change; safe from any thread; for the CPU.
/// </summary>
public sealed class ResidualCodes : IDisposable
{
    private const int Lanes = 16;

    private readonly long[] _starts; // [levels + 1]
    private readonly Tensor _codes, _base, _between; // [dim, total], [total], [total, total]
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

        using var _ = no_grad();
        using var scope = NewDisposeScope();
        _dim = (int)codes[0].size(1);
        _starts = new long[codes.Count + 1];
        var (padded, costs) = (new List<Tensor>(), new List<Tensor>());
        for (int level = 0; level < codes.Count; level++)
        {
            long size = codes[level].size(0), fill = (Lanes - (size % Lanes)) % Lanes;
            _starts[level + 1] = _starts[level] + size + fill;
            padded.Add(cat([codes[level].detach(), zeros(fill, _dim)], 0));
            costs.Add(cat([codes[level].detach().square().sum(1) + prices[level], full([fill], float.PositiveInfinity)], 0));
        }

        var all = cat(padded, 0); // [total, dim]
        _codes = all.transpose(0, 1).contiguous().DetachFromDisposeScope();
        _base = cat(costs, 0).contiguous().DetachFromDisposeScope();
        _between = (matmul(all, _codes) * 2).contiguous().DetachFromDisposeScope();
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
        using var scores = matmul(x, _codes); // [n, total]
        int levels = _starts.Length - 1;
        var codes = new ushort[x.size(0) * levels];
        unsafe
        {
            fixed (long* starts = _starts)
            fixed (ushort* to = codes)
            {
                KernelLibrary.ResidualCodes(new ResidualCodesCall
                {
                    Rows = x.size(0), Levels = levels, Total = _starts[^1], Beam = beam, Starts = (nint)starts, Base = _base.Address(),
                    Between = _between.Address(), Scores = scores.Address(), Codes = (nint)to,
                });
            }
        }

        GC.KeepAlive((_base, _between)); // the loops have addresses alone
        return codes;
    }

    public void Dispose()
    {
        _codes.Dispose();
        _base.Dispose();
        _between.Dispose();
    }
}
