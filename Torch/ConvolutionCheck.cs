using System.Diagnostics;

namespace Recsys.Torch;

/// <summary>Known answers asked of a convolution before it is trusted: values and both gradients, in both precisions.</summary>
/// <param name="Way">What the answers lead to.</param>
/// <param name="Wrong">What was wrong, one sentence each; empty where all was right.</param>
/// <param name="Milliseconds">What the asking took.</param>
public sealed record ConvolutionCheck(ConvolutionWay Way, IReadOnlyList<string> Wrong, double Milliseconds)
{
    // In, out, side, kernel, stride: the kinds of layer that a U-Net has.
    private static readonly (int In, int Out, int Side, int Kernel, int Stride)[] Cases =
        [(3, 64, 16, 3, 1), (64, 64, 16, 3, 1), (64, 128, 8, 3, 2), (96, 32, 8, 3, 1), (64, 3, 16, 3, 1), (128, 96, 7, 1, 1)];

    /// <summary>One sentence for a log or a person.</summary>
    public override string ToString() => Way == ConvolutionWay.Native
        ? $"convolutions: libtorch's own, checked in {Milliseconds:F0} ms"
        : $"convolutions: through matrix products, because libtorch's own are wrong on this machine ({string.Join(" ", Wrong)})";

    /// <summary>Asks.</summary>
    /// <param name="convolution">x, weight, bias, stride and padding to the result.</param>
    internal static ConvolutionCheck Run(Func<Tensor, Tensor, Tensor?, long, long, Tensor> convolution)
    {
        long started = Stopwatch.GetTimestamp();
        using var scope = NewDisposeScope();
        using var graded = enable_grad();
        using var generator = new Generator(20_260_101);
        var wrong = new List<string>();
        foreach (var type in new[] { ScalarType.Float32, ScalarType.BFloat16 })
        {
            foreach (var (inputs, outputs, side, kernel, stride) in Cases)
            {
                string? fault = Compare(convolution, generator, type, inputs, outputs, side, kernel, stride);
                if (fault is not null)
                {
                    wrong.Add(fault);
                }
            }
        }

        return new ConvolutionCheck(
            wrong.Count == 0 ? ConvolutionWay.Native : ConvolutionWay.Products, wrong, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
    }

    private static string? Compare(
        Func<Tensor, Tensor, Tensor?, long, long, Tensor> convolution, Generator generator, ScalarType type,
        int inputs, int outputs, int side, int kernel, int stride)
    {
        Tensor Draw(params long[] shape) => randn(shape, generator: generator).to(type);
        var (x, weight, bias) = (Draw(2, inputs, side, side), Draw(outputs, inputs, kernel, kernel), Draw(outputs));
        var (found, foundGradients) = WithGradients(convolution, x, weight, bias, stride, kernel / 2, null);
        var (known, knownGradients) = WithGradients(
            Convolutions.ByProducts, x.to(ScalarType.Float64), weight.to(ScalarType.Float64), bias.to(
                ScalarType.Float64), stride, kernel / 2, found);
        double limit = type == ScalarType.Float32 ? 1e-4 : 2e-2; // sums of up to 1,152 products, as shares of the largest value
        foreach (
            var (name, one, other) in new[]
            {
                ("values", found, known), ("∂x", foundGradients[0], knownGradients[0]),
                ("∂weight", foundGradients[1], knownGradients[1]),
            })
        {
            double error = ((one.to(ScalarType.Float64) - other).abs().max() / other.abs().max()).item<double>();
            if (!(error <= limit))
            {
                return $"{type}, {inputs} to {outputs} channels, {side} × {side}, kernel {kernel}, stride {stride}: {name} off by "
                    + $"{error:P1} of the largest.";
            }
        }

        return null;
    }

    // The gradients of Σ y², fed with one and the same y on both sides.
    private static (Tensor Values, Tensor[] Gradients) WithGradients(
        Func<Tensor, Tensor, Tensor?, long, long, Tensor> convolution, Tensor x, Tensor weight, Tensor bias,
        long stride, long padding, Tensor? y)
    {
        var (input, filter) = (x.detach().requires_grad_(), weight.detach().requires_grad_());
        var output = convolution(input, filter, bias, stride, padding);
        var gradients = torch.autograd.grad([output], [input, filter], [(y ?? output).detach().to(output.dtype)]);
        return (output.detach(), [.. gradients]);
    }
}
