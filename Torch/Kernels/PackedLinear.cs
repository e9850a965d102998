namespace Recsys.Torch.Kernels;

/// <summary>A linear layer's weights as decoding.cpp reads them, in panels of 32 outputs: a copy, later changes are not seen.</summary>
public sealed class PackedLinear : IDisposable
{
    private const long Panel = 32; // decoding.cpp's kPanel

    private readonly Tensor _panels, _bias; // [whole panels, inputs, 32], [whole panels · 32]

    /// <param name="layer">float32, on the CPU.</param>
    public PackedLinear(Linear layer)
    {
        using var _ = no_grad();
        using var weight = layer.weight.detach().contiguous();
        (Outputs, Inputs) = ((int)weight.size(0), (int)weight.size(1));
        long whole = (Outputs + Panel - 1) / Panel * Panel;
        _panels = empty(whole * Inputs).DetachFromDisposeScope();
        KernelLibrary.PackPanels(weight.Address(), Outputs, Inputs, _panels.Address());
        _bias = zeros(whole).DetachFromDisposeScope();
        if (layer.bias is { } bias)
        {
            using var used = _bias.narrow(0, 0, Outputs);
            used.copy_(bias);
        }
    }

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
            KernelLibrary.LogProbabilities((nint)from, rows, Inputs, Panels, Outputs, (nint)into);
        }
    }

    public void Dispose()
    {
        _panels.Dispose();
        _bias.Dispose();
    }
}
