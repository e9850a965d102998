using Recsys.Torch.Kernels;

namespace Recsys.Torch;

/// <summary>
/// Products and convolutions in bfloat16, everything else and all weights in float32 (Micikevicius et al. 2018; bf16 needs no loss scale).
/// TorchSharp has no autocast: models call their layers through here, and the scope of a thread decides.
/// </summary>
public static class MixedPrecision
{
    [ThreadStatic]
    private static bool _on;

    /// <summary>Within the result's life this thread's products are bf16 where <paramref name="on"/>, and float32 where not.</summary>
    public static IDisposable Scope(bool on) => new Lifetime(on);

    /// <summary>x Wᵀ + b, or GELU(x) Wᵀ + b.</summary>
    /// <param name="x">[…, in]</param>
    /// <returns>[…, out], bf16 within the scope.</returns>
    public static Tensor Apply(this Linear layer, Tensor x, bool gelu = false) =>
        _on ? Fused.Linear(x, layer.weight, layer.bias, gelu) : layer.forward(gelu ? functional.gelu(x) : x);

    /// <summary>The convolution, by the way that is right on this machine.</summary>
    /// <param name="x">[batch, in, height, width]</param>
    /// <returns>[batch, out, height, width], bf16 within the scope.</returns>
    public static Tensor Apply(this Conv2d layer, Tensor x) => _on
        ? Convolutions.Apply(layer, Narrow(x), Narrow(layer.weight), layer.bias is { } bias ? Narrow(bias) : null)
        : Convolutions.Apply(layer, x, layer.weight, layer.bias);

    /// <summary>a b.</summary>
    public static Tensor Product(Tensor a, Tensor b) => _on ? matmul(Narrow(a), Narrow(b)) : matmul(a, b);

    private static Tensor Narrow(Tensor x) => x.to(ScalarType.BFloat16);

    private sealed class Lifetime : IDisposable
    {
        private readonly bool _before = _on;

        public Lifetime(bool on) => _on = on;

        public void Dispose() => _on = _before;
    }
}
