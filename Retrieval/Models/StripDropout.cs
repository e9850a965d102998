namespace Recsys.Retrieval.Models;

/// <summary>
/// Dropout whose masks are random windows of one long strip of Bernoulli draws made beforehand. libtorch's <c>bernoulli_</c> is
/// single-threaded on a CPU and takes some 40 % of a small transformer's training step; a window costs nothing. Seeded, hence repeatable.
/// </summary>
public sealed class StripDropout : IDisposable
{
    private readonly Tensor _wide, _narrow; // [length] 0 or 1 / (1 − p), in fp32 and bf16
    private readonly Random _random;
    private readonly int _length;

    /// <param name="length">Elements of the largest tensor it is applied to; the strip is some times that.</param>
    public StripDropout(double p, int length, Random random, Device device)
    {
        _random = random;
        _length = Math.Max(4 * length, 1 << 16);
        float scale = (float)(1 / (1 - p));
        int threshold = (int)Math.Round(p * 65536);
        var draws = new ushort[_length];
        random.NextBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(draws.AsSpan()));
        var strip = Array.ConvertAll(draws, draw => draw < threshold ? 0f : scale);
        using var scope = NewDisposeScope();
        _wide = tensor(strip, [_length], dtype: ScalarType.Float32, device: device).DetachFromDisposeScope();
        _narrow = _wide.to(ScalarType.BFloat16).DetachFromDisposeScope();
    }

    public Tensor Apply(Tensor x)
    {
        long count = x.numel();
        var strip = x.dtype == ScalarType.BFloat16 ? _narrow : _wide;
        return x * strip.narrow(0, _random.NextInt64(_length - count + 1), count).view(x.shape);
    }

    public void Dispose()
    {
        _wide.Dispose();
        _narrow.Dispose();
    }
}
