using static Recsys.Torch.torch;

namespace Recsys.Torch.Modules;

/// <summary>What all convolutions share; weight [out, in / groups, kernel…], transposed [in, out / groups, kernel…].</summary>
public abstract class Convolution : AffineModule
{
    private readonly string _operator;
    private readonly string _operatorOfPaddingType;
    private readonly Padding? _paddingType;
    private readonly long[] _aroundEdges; // last dimension first, both sides, as pad takes it

    internal Convolution(string name, string operatorName, ConvolutionShape shape, long groups, bool hasBias, PaddingModes mode, Device? device, ScalarType? dtype)
        : base(name)
    {
        if (groups < 1 || shape.In % groups != 0 || shape.Out % groups != 0)
        {
            throw new ArgumentException($"{shape.In} input and {shape.Out} output channels do not divide into {groups} groups");
        }

        if (shape.Same && shape.Stride.Any(s => s != 1))
        {
            throw new ArgumentException("padding 'same' needs a stride of 1");
        }

        _operator = operatorName;
        _operatorOfPaddingType = operatorName + ".padding";
        (in_channels, out_channels, this.groups, padding_mode) = (shape.In, shape.Out, groups, mode);
        (kernel_size, stride, dilation, output_padding) = (shape.Kernel, shape.Stride, shape.Dilation, shape.OutputPadding);
        _paddingType = shape.PaddingType;
        padding = shape.PaddingType is null ? shape.Padding : null;
        _aroundEdges = [.. Enumerable.Range(0, shape.Kernel.Length).Reverse().SelectMany(shape.EdgesOf)];
        weight = Empty(shape.WeightShape(groups), device, dtype);
        bias = hasBias ? Empty([shape.Out], device, dtype) : null;
        ResetUniform();
    }

    public long in_channels { get; }

    public long out_channels { get; }

    public long groups { get; }

    public long[] kernel_size { get; }

    public long[] stride { get; }

    public long[]? padding { get; }

    public long[] dilation { get; }

    public long[] output_padding { get; }

    public PaddingModes padding_mode { get; }

    /// <param name="input">[batch, in_channels, …] or without the batch.</param>
    public override Tensor forward(Tensor input)
    {
        if (padding_mode == PaddingModes.Zeros)
        {
            return _paddingType is { } type
                ? Dispatcher.Call(_operatorOfPaddingType, input, weight, bias, stride, type == Padding.Same ? "same" : "valid", dilation, groups)
                : Dispatcher.Call(_operator, input, weight, bias, stride, padding, dilation, groups);
        }

        string mode = padding_mode switch
        {
            PaddingModes.Reflect => "reflect",
            PaddingModes.Replicate => "replicate",
            PaddingModes.Circular => "circular",
            _ => "constant",
        };
        using Tensor padded = Dispatcher.Call("pad", input, _aroundEdges, mode);
        return Dispatcher.Call(_operator, padded, weight, bias, stride, new long[kernel_size.Length], dilation, groups);
    }
}

/// <summary>The geometry of a convolution.</summary>
internal sealed record ConvolutionShape(long In, long Out, long[] Kernel, long[] Stride, long[] Padding, long[] Dilation)
{
    public Padding? PaddingType { get; init; }

    public bool Transposed { get; init; }

    public long[] OutputPadding { get; init; } = [];

    public bool Same => PaddingType == Torch.Padding.Same;

    public long[] WeightShape(long groups) => Transposed ? [In, Out / groups, .. Kernel] : [Out, In / groups, .. Kernel];

    /// <summary>Padding before and after, of one dimension.</summary>
    public long[] EdgesOf(int dimension)
    {
        if (PaddingType is null)
        {
            return [Padding[dimension], Padding[dimension]];
        }

        long total = Same ? Dilation[dimension] * (Kernel[dimension] - 1) : 0;
        return [total / 2, total - total / 2];
    }
}
