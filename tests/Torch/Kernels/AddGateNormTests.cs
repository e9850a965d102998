using Recsys.Torch.Kernels;
using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests.Kernels;

/// <summary>adaLN-Zero's seam against the composed one in float64.</summary>
public sealed class AddGateNormTests
{
    public static TheoryData<long[]> Shapes => new()
    {
        { [1, 1, 8] },
        { [3, 1, 33] },
        { [2, 64, 16] }, // one partial sum exactly
        { [3, 65, 20] }, // one row more
        { [5, 196, 128] },
        { [0, 4, 16] }, // no entry
        { [2, 0, 16] }, // no token
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void In_fp32_it_equals_the_composed_one_in_values_and_gradients(long[] shape) => Compare(shape, ScalarType.Float32, 1e-5);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void In_bf16_only_inputs_and_results_are_rounded(long[] shape) => Compare(shape, ScalarType.BFloat16, 1.0 / 128);

    [Fact]
    public void Without_gradients_it_gives_the_same_bytes()
    {
        using var scope = NewDisposeScope();
        var inputs = Inputs([3, 20, 24], ScalarType.Float32);
        var graded = Fused.AddGateNorm(inputs[0], inputs[1], inputs[2], inputs[3], inputs[4]);
        using var _ = no_grad();
        var plain = Fused.AddGateNorm(inputs[0], inputs[1], inputs[2], inputs[3], inputs[4]);
        Assert.Equal(graded.Sum.Bytes(), plain.Sum.Bytes());
        Assert.Equal(graded.Normed.Bytes(), plain.Normed.Bytes());
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused_with_both()
    {
        using var scope = NewDisposeScope();
        Tensor part = zeros(2, 8);
        Refused("residual is [2, 4, 8], the branch [2, 4, 9]", () => Fused.AddGateNorm(zeros(2, 4, 8), zeros(2, 4, 9), part, part, part));
        Refused("gate, scale and shift are [2, 8], [3, 8], [2, 8]; they must be [batch, width]", () => Fused.AddGateNorm(zeros(2, 4, 8), zeros(2, 4, 8), part, zeros(3, 8), part));
        Refused("residual is [4, 8], the branch [4, 8]; both must be [batch, tokens, width]", () => Fused.AddGateNorm(zeros(4, 8), zeros(4, 8), part, part, part));
        Refused("the branch []", () => Fused.AddGateNorm(zeros([]), zeros([]), part, part, part));
    }

    private static Tensor[] Inputs(long[] shape, ScalarType type)
    {
        Tensor Leaf(ulong seed, long[] of, ScalarType as_) => Random(seed, of).to(as_).requires_grad_();
        long[] part = [shape[0], shape[2]];
        return
        [
            Leaf(1, shape, ScalarType.Float32), Leaf(2, shape, type), Leaf(3, part, ScalarType.Float32), Leaf(4, part, ScalarType.Float32),
            Leaf(5, part, ScalarType.Float32),
        ];
    }

    private static void Compare(long[] shape, ScalarType type, double share)
    {
        using var scope = NewDisposeScope();
        var inputs = Inputs(shape, type);
        var (sum, normed) = Fused.AddGateNorm(inputs[0], inputs[1], inputs[2], inputs[3], inputs[4]);
        var (towardsSum, towardsNormed) = (Random(6, shape).to(ScalarType.Float32), Random(7, shape).to(type));
        autograd.backward([sum, normed], [towardsSum, towardsNormed]);

        var exact = Array.ConvertAll(inputs, input => input.detach().to(ScalarType.Float64).requires_grad_());
        var expected = Fused.Composed.AddGateNorm(exact[0], exact[1], exact[2], exact[3], exact[4], 1e-6);
        autograd.backward([expected.Sum, expected.Normed], [towardsSum.to(ScalarType.Float64), towardsNormed.to(ScalarType.Float64)]);

        Assert.Equal(type, normed.dtype);
        Close(expected.Sum, sum, 1e-5);
        Close(expected.Normed, normed, share);
        for (int i = 0; i < inputs.Length; i++)
        {
            Close(exact[i].grad!, inputs[i].grad!, inputs[i].dtype == ScalarType.Float32 ? 2e-5 : share);
        }
    }
}
