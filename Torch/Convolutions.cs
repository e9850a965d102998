namespace Recsys.Torch;

/// <summary>How convolutions are computed.</summary>
public enum ConvolutionWay
{
    /// <summary>libtorch's own, on whole blocks of 32 channels: what lacks to a block is padded with zeros and cut off again.</summary>
    Native,

    /// <summary>Patches laid out as a matrix, and a matrix product: slower, and right wherever products are.</summary>
    Products,
}

/// <summary>
/// Two-dimensional convolutions that are right on this machine. libtorch 2.10 hands them to oneDNN, whose kernels for channels that do not
/// fill a block of 32 gave wrong values and gradients on virtual machines that hide the processor's caches; on whole blocks none was
/// wrong. So blocks are always whole, and known answers are asked for at the first use (<see cref="ConvolutionCheck"/>).
/// </summary>
public static class Convolutions
{
    private const int Block = 32;

    private static readonly Lazy<ConvolutionCheck> Checked = new(() => ConvolutionCheck.Run(OnBlocks));

    /// <summary>What the check at the first use found, and the way that follows.</summary>
    public static ConvolutionCheck Check => Checked.Value;

    /// <summary>x ∗ weight + bias with the layer's stride and padding.</summary>
    /// <param name="x">[batch, in, height, width]</param>
    /// <param name="weight">[out, in, kernel, kernel]</param>
    /// <param name="bias">[out]</param>
    /// <returns>[batch, out, height', width']</returns>
    internal static Tensor Apply(Conv2d layer, Tensor x, Tensor weight, Tensor? bias)
    {
        if (layer.groups != 1 || layer.padding_mode != PaddingModes.Zeros || layer.padding is null || layer.dilation.Any(d => d != 1)
            || new[] { layer.stride, layer.padding, layer.kernel_size }.Any(pair => pair[0] != pair[^1]))
        {
            throw new TorchException(
                "A convolution here has one group, no dilation, and square strides, kernels and paddings of zeros; this layer has others.");
        }

        var (stride, padding) = (layer.stride[0], layer.padding[0]);
        return x.device.type != DeviceType.CPU ? functional.conv2d(x, weight, bias, [stride, stride], [padding, padding])
            : Check.Way == ConvolutionWay.Native ? OnBlocks(x, weight, bias, stride, padding)
            : ByProducts(x, weight, bias, stride, padding);
    }

    internal static Tensor OnBlocks(Tensor x, Tensor weight, Tensor? bias, long stride, long padding)
    {
        long missingIn = Missing(weight.size(1)), missingOut = Missing(weight.size(0));
        if (missingIn > 0)
        {
            x = functional.pad(x, [0, 0, 0, 0, 0, missingIn]);
        }

        var whole = missingIn + missingOut == 0 ? weight : functional.pad(weight, [0, 0, 0, 0, 0, missingIn, 0, missingOut]);
        var shift = bias is null || missingOut == 0 ? bias : functional.pad(bias, [0, missingOut]);
        var y = functional.conv2d(x, whole, shift, [stride, stride], [padding, padding]);
        return missingOut == 0 ? y : y.narrow(1, 0, weight.size(0));
    }

    internal static Tensor ByProducts(Tensor x, Tensor weight, Tensor? bias, long stride, long padding)
    {
        long kernel = weight.size(2), height = Places(x.size(2), kernel, stride, padding), width = Places(
            x.size(3), kernel, stride, padding);
        var patches = functional.unfold(x, kernel, padding: padding, stride: stride); // [batch, in · kernel², places]
        var y = matmul(weight.reshape(weight.size(0), -1), patches).view(x.size(0), weight.size(0), height, width);
        return bias is null ? y : y + bias.view(1, -1, 1, 1);
    }

    private static long Missing(long channels) => (Block - (channels % Block)) % Block;

    private static long Places(long side, long kernel, long stride, long padding) => ((side + (2 * padding) - kernel) / stride) + 1;
}
