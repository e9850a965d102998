using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests;

/// <summary>A right convolution, and wrong ones that are planted.</summary>
public sealed class ConvolutionCheckTests
{
    private delegate Tensor Plant(Tensor x, Tensor weight, Func<Tensor, Tensor, Tensor> convolution);

    [Fact]
    public void A_right_one_is_trusted_and_the_check_leaves_no_tensor_behind()
    {
        using var _ = no_grad(); // the check turns gradients on for itself
        long before = LiveTensors();
        var check = ConvolutionCheck.Run(Convolutions.ByProducts);
        Assert.Equal((ConvolutionWay.Native, 0), (check.Way, check.Wrong.Count));
        Assert.StartsWith("convolutions: libtorch's own, checked in ", check.ToString(), StringComparison.Ordinal);
        Assert.Equal(before, LiveTensors());
        Assert.False(is_grad_enabled());
    }

    [Fact]
    public void One_channel_out_of_scale_is_seen_in_every_layer() =>
        Distrusted(12, "Float32, 3 to 64 channels, 16 × 16, kernel 3, stride 1: values off by ", (x, weight, convolution) =>
        {
            var scale = ones(weight.size(0), 1, 1);
            scale[1] = 1.5f;
            return (convolution(x, weight) * scale).to(x.dtype);
        });

    [Fact]
    public void A_layer_that_is_wrong_in_bf16_alone_is_seen() =>
        Distrusted(1, "BFloat16, 96 to 32 channels, 8 × 8, kernel 3, stride 1: values off by ", (x, weight, convolution) =>
            convolution(x, weight) * (x.dtype == ScalarType.BFloat16 && x.size(1) == 96 ? 0.9 : 1));

    [Fact]
    public void A_wrong_gradient_of_the_input_behind_right_values_is_seen() =>
        Distrusted(12, ": ∂x off by 100", (x, weight, convolution) => convolution(x.detach(), weight) + (x.sum() * 0));

    [Fact]
    public void A_wrong_gradient_of_the_weights_behind_right_values_is_seen() =>
        Distrusted(12, ": ∂weight off by 100", (x, weight, convolution) => convolution(x, weight.detach()) + (weight.sum() * 0));

    [Fact]
    public void A_single_NaN_counts_as_wrong() =>
        Distrusted(12, "values off by NaN", (x, weight, convolution) =>
        {
            var y = convolution(x, weight);
            var mask = zeros_like(y);
            mask[1, 2, 3, 3] = float.NaN;
            return y + mask;
        });

    private static void Distrusted(int layers, string fault, Plant plant)
    {
        var check = ConvolutionCheck.Run((x, weight, bias, stride, padding) =>
            plant(x, weight, (input, filter) => Convolutions.ByProducts(input, filter, bias, stride, padding)));
        Assert.Equal((ConvolutionWay.Products, layers), (check.Way, check.Wrong.Count));
        const string Said = "convolutions: through matrix products, because libtorch's own are wrong on this machine (";
        Assert.StartsWith(Said, check.ToString(), StringComparison.Ordinal);
        Assert.Contains(fault, check.ToString(), StringComparison.Ordinal);
    }
}
