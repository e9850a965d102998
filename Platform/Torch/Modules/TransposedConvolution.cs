using static Recsys.Torch.torch;

namespace Recsys.Torch.Modules;

/// <summary>The transpose (gradient) of a convolution; weight [in, out / groups, kernel…].</summary>
public abstract class TransposedConvolution : Convolution
{
    private readonly string _operator;

    private protected TransposedConvolution(
        string name, string operatorName, ConvolutionShape shape, long groups, bool hasBias, PaddingModes mode, Device? device, ScalarType? dtype)
        : base(name, operatorName, shape, groups, hasBias, mode, device, dtype)
    {
        _operator = operatorName;
        if (mode != PaddingModes.Zeros)
        {
            throw new ArgumentException($"a transposed convolution pads with zeros only, not {mode}");
        }
    }

    public override Tensor forward(Tensor input) => Enlarge(input, null);

    /// <param name="input">[batch, in_channels, …]</param>
    /// <param name="output_size">The result's trailing dimensions, within a stride of the smallest; null takes output_padding.</param>
    public Tensor forward(Tensor input, long[]? output_size) => Enlarge(input, output_size);

    private Tensor Enlarge(Tensor input, long[]? size)
    {
        long[] extra = output_padding;
        if (size is not null)
        {
            int places = kernel_size.Length;
            long[] shape = input.shape;
            extra = [.. Enumerable.Range(0, places).Select(i =>
                size[^(places - i)] - ((shape[^(places - i)] - 1) * stride[i] - 2 * padding![i] + dilation[i] * (kernel_size[i] - 1) + 1))];
        }

        return Dispatcher.Call(_operator, input, weight, bias, stride, padding, extra, groups, dilation);
    }
}

public sealed class ConvTranspose1d : TransposedConvolution
{
    internal ConvTranspose1d(ConvolutionShape shape, long groups, bool hasBias, PaddingModes mode, Device? device, ScalarType? dtype)
        : base(nameof(ConvTranspose1d), "conv_transpose1d", shape, groups, hasBias, mode, device, dtype)
    {
    }
}

public sealed class ConvTranspose2d : TransposedConvolution
{
    internal ConvTranspose2d(ConvolutionShape shape, long groups, bool hasBias, PaddingModes mode, Device? device, ScalarType? dtype)
        : base(nameof(ConvTranspose2d), "conv_transpose2d.input", shape, groups, hasBias, mode, device, dtype)
    {
    }
}

public sealed class ConvTranspose3d : TransposedConvolution
{
    internal ConvTranspose3d(ConvolutionShape shape, long groups, bool hasBias, PaddingModes mode, Device? device, ScalarType? dtype)
        : base(nameof(ConvTranspose3d), "conv_transpose3d.input", shape, groups, hasBias, mode, device, dtype)
    {
    }
}
