using Recsys.Torch.Kernels;
using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests.Kernels;

/// <summary>Against the composed one in float64, under the mask that the forward pass drew.</summary>
public sealed class AddDropoutNormTests
{
    public static TheoryData<long[], double> Shapes => new()
    {
        { [0, 48], 0.4 }, // no row
        { [2, 0, 3, 16], 0 },
        { [1, 1], 0 }, // one element
        { [200, 1], 0.5 },
        { [7, 20], 0 },
        { [3, 50, 33], 0.3 },
        { [48], 0.2 }, // one row
        { [64, 128], 0.9 },
        { [4000, 100], 0.1 }, // more rows than one partial sum
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void In_fp32_it_equals_the_composed_one_in_values_and_gradients(long[] shape, double p) =>
        Compare(shape, p, ScalarType.Float32, 1e-5);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void In_bf16_only_inputs_and_results_are_rounded(long[] shape, double p) => Compare(shape, p, ScalarType.BFloat16, 1.0 / 256);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void One_result_alone_may_be_used(bool sum)
    {
        using var scope = NewDisposeScope();
        using var norm = Norm(24);
        Tensor Draw(ulong seed) => Random(seed, 10, 24).to(ScalarType.Float32).requires_grad_();
        var (x, branch) = (Draw(1), Draw(2));
        Tensor[] Gradients((Tensor Sum, Tensor Normed) both)
        {
            var loss = (sum ? both.Sum : both.Normed).pow(3).sum();
            return [.. autograd.grad([loss], [x, branch])];
        }

        (Tensor Sum, Tensor Normed) InScope() // as the blocks of a network are
        {
            using var inner = NewDisposeScope();
            var both = Fused.AddDropoutNorm(x, branch, norm);
            return (both.Sum.MoveToOuterDisposeScope(), both.Normed.MoveToOuterDisposeScope());
        }

        var expected = Gradients(Fused.Composed.AddDropoutNorm(x, branch, norm, 0));
        var actual = Gradients(InScope());
        Close(expected[0], actual[0], 1e-5);
        Close(expected[1], actual[1], 1e-5);
    }

    [Fact]
    public void A_bf16_residual_goes_the_composed_way()
    {
        using var scope = NewDisposeScope();
        using var norm = Norm(24).to(ScalarType.BFloat16);
        var (x, branch) = (Random(1, 10, 24).to(ScalarType.BFloat16), Random(2, 10, 24).to(ScalarType.BFloat16));
        var (expected, actual) = (Fused.Composed.AddDropoutNorm(x, branch, norm, 0), Fused.AddDropoutNorm(x, branch, norm));
        Assert.Equal(expected.Sum.Bytes(), actual.Sum.Bytes());
        Assert.Equal(expected.Normed.Bytes(), actual.Normed.Bytes());
    }

    [Fact]
    public void Shapes_and_probabilities_that_do_not_fit_are_refused_with_value_and_limit()
    {
        using var scope = NewDisposeScope();
        using var norm = Norm(8);
        Refused("residual is [4, 8], the branch [4, 9]", () => Fused.AddDropoutNorm(zeros(4, 8), zeros(4, 9), norm));
        Refused("residual is [4, 8], the branch [2, 4, 8]", () => Fused.AddDropoutNorm(zeros(4, 8), zeros(2, 4, 8), norm));
        Refused("gain and shift of the last dimension", () => Fused.AddDropoutNorm(zeros(4, 9), zeros(4, 9), norm));
        using var plain = nn.LayerNorm(8, elementwise_affine: false);
        Refused("gain and shift of the last dimension", () => Fused.AddDropoutNorm(zeros(8), zeros(8), plain));
        Refused("probability is -0.1; allowed are 0 to below 1", () => Fused.AddDropoutNorm(zeros(8), zeros(8), norm, -0.1));
        Refused("probability is 1; allowed are 0 to below 1", () => Fused.AddDropoutNorm(zeros(8), zeros(8), norm, 1));
        Refused("probability is NaN; allowed are 0 to below 1", () => Fused.AddDropoutNorm(zeros(8), zeros(8), norm, double.NaN));
    }

    private static void Compare(long[] shape, double p, ScalarType type, double share)
    {
        using var scope = NewDisposeScope();
        using var norm = Norm(shape[^1]);
        var (residual, branch) = (Random(1, shape).to(ScalarType.Float32).requires_grad_(), Random(2, shape).to(type).requires_grad_());
        var mask = Fused.AddDropoutNorm(zeros(shape), ones(shape), norm, p, 77).Sum.to(ScalarType.Float64); // 0, or 1 / (1 − p)
        var (sum, normed) = Fused.AddDropoutNorm(residual, branch, norm, p, 77);
        var (towardsSum, towardsNormed) = (Random(3, shape).to(ScalarType.Float32), Random(4, shape).to(type));
        autograd.backward([sum, normed], [towardsSum, towardsNormed]);

        using var exactNorm = Norm(shape[^1]).to(ScalarType.Float64);
        var (exactResidual, exactBranch) = (Exact(residual), Exact(branch));
        var expected = Fused.Composed.AddDropoutNorm(exactResidual, exactBranch * mask, exactNorm, 0);
        autograd.backward([expected.Sum, expected.Normed], [towardsSum.to(ScalarType.Float64), towardsNormed.to(ScalarType.Float64)]);

        Assert.Equal(type, normed.dtype);
        Close(expected.Sum, sum, 1e-6);
        Close(expected.Normed, normed, share);
        Close(exactResidual.grad!, residual.grad!, 1e-5);
        Close(exactBranch.grad!, branch.grad!, share);
        Close(exactNorm.weight!.grad!, norm.weight!.grad!, 1e-5);
        Close(exactNorm.bias!.grad!, norm.bias!.grad!, 1e-5);
    }

    private static Tensor Exact(Tensor of) => of.detach().to(ScalarType.Float64).requires_grad_();

    private static LayerNorm Norm(long width)
    {
        var norm = nn.LayerNorm(width, eps: width == 1 ? 1e-2 : 1e-5); // over one element 1 / √eps magnifies every rounding
        using var _ = no_grad();
        norm.weight!.copy_(Random(5, width) + 1.5);
        norm.bias!.copy_(Random(6, width));
        return norm;
    }
}
