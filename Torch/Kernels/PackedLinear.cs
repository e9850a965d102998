namespace Recsys.Torch.Kernels;

/// <summary>A linear layer's weights as panels.h reads them, in panels of 32 outputs, of float32 or of bf16 (what they are multiplied
/// with is rounded to bf16 then, the sums are float32): a copy, later changes are not seen.</summary>
public sealed class PackedLinear : IDisposable
{
    private const long Panel = 32; // bf16.h's kPanel

    private readonly Tensor _panels, _bias; // [whole panels, inputs or pairs of them, 32], [whole panels · 32]
    private readonly bool _half;

    /// <param name="layer">float32, on the CPU.</param>
    /// <param name="half">bf16; only where <see cref="HasBFloat16"/>.</param>
    public PackedLinear(Linear layer, bool half = false)
    {
        if (half && !HasBFloat16)
        {
            throw new TorchException("Weights in bf16 need a processor with AVX512-BF16.");
        }

        _half = half;
        using var _ = no_grad();
        using var weight = layer.weight.detach().contiguous();
        (Outputs, Inputs) = ((int)weight.size(0), (int)weight.size(1));
        long whole = (Outputs + Panel - 1) / Panel * Panel;
        _panels = empty(whole * (half ? (Inputs + 1) / 2 : Inputs)).DetachFromDisposeScope();
        if (half)
        {
            KernelLibrary.PackHalf(weight.Address(), Outputs, Inputs, _panels.Address());
        }
        else
        {
            KernelLibrary.PackPanels(weight.Address(), Outputs, Inputs, _panels.Address());
        }

        _bias = zeros(whole).DetachFromDisposeScope();
        if (layer.bias is { } bias)
        {
            using var used = _bias.narrow(0, 0, Outputs);
            used.copy_(bias);
        }
    }

    /// <summary>Whether this processor multiplies bf16.</summary>
    public static bool HasBFloat16 { get; } = KernelLibrary.HasGreedyCodes() != 0; // the same instruction

    public int Inputs { get; }

    public int Outputs { get; }

    internal nint Panels => _panels.Address();

    internal nint Bias => _bias.Address();

    /// <summary>log softmax(x Wᵀ), without the bias.</summary>
    /// <param name="x">[rows × inputs]</param>
    /// <param name="to">[rows × outputs]</param>
    public unsafe void LogProbabilities(ReadOnlySpan<float> x, Span<float> to)
    {
        int rows = x.Length / Inputs;
        if (x.Length != rows * Inputs || to.Length != rows * Outputs)
        {
            throw new TorchException($"{x.Length} and {to.Length} values; they must be rows of {Inputs} and of {Outputs}.");
        }

        fixed (float* from = x, into = to)
        {
            KernelLibrary.LogProbabilities((nint)from, rows, Inputs, Panels, Outputs, (nint)into, _half ? 1 : 0);
        }
    }

    public void Dispose()
    {
        _panels.Dispose();
        _bias.Dispose();
    }
}
