using Recsys.Torch.Kernels;
using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests.Kernels;

/// <summary>A linear layer in bf16 against the composed one in float64, fed with the same bf16 numbers.</summary>
public sealed class LinearTests
{
    // Rows, inputs, outputs: below, at and above the blocks of 96 rows, the tiles of 8 rows and the panels of 32 columns.
    public static TheoryData<int, int, int, bool, bool> Shapes()
    {
        var data = new TheoryData<int, int, int, bool, bool>();
        (int Rows, int Inputs, int Outputs)[] shapes =
        [
            (192, 2, 2), (193, 34, 66), (199, 32, 32), (200, 128, 48), (301, 40, 130), (384, 6, 8), (288, 30, 2), (1000, 512, 128),
            (2051, 128, 512),
        ];
        foreach (var (rows, inputs, outputs) in shapes)
        {
            data.Add(rows, inputs, outputs, false, true);
            data.Add(rows, inputs, outputs, true, false);
            data.Add(rows, inputs, outputs, true, true);
        }

        data.Add(0, 4, 4, true, true); // empty, single, odd, few rows: libtorch's products
        data.Add(1, 1, 1, true, true);
        data.Add(1, 512, 128, true, true);
        data.Add(300, 33, 64, true, true);
        data.Add(300, 64, 33, false, false);
        return data;
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Values_and_gradients_are_those_of_the_composed_one_up_to_rounding(int rows, int inputs, int outputs, bool gelu, bool bias)
    {
        using var scope = NewDisposeScope();
        var x = Draw(1, rows, inputs).to(ScalarType.BFloat16).requires_grad_();
        var weight = Draw(2, outputs, inputs).requires_grad_();
        var shift = bias ? Draw(3, outputs).requires_grad_() : null;
        var towards = Draw(4, rows, outputs).to(ScalarType.BFloat16);
        bool whole = rows >= 192 && inputs % 2 == 0 && outputs % 2 == 0;
        Assert.Equal(whole && LinearFunction.Here.Value, LinearFunction.Takes(x, weight, shift)); // else libtorch's products are compared
        var y = Fused.Linear(x, weight, shift, gelu);
        y.backward([towards]);

        var exact = x.detach().to(ScalarType.Float64).requires_grad_();
        var exactWeight = Rounded(weight).requires_grad_();
        var exactShift = shift is null ? null : Rounded(shift).requires_grad_();
        var expected = Fused.Composed.Linear(exact, exactWeight, exactShift, gelu);
        expected.backward([towards.to(ScalarType.Float64)]);

        Assert.Equal(ScalarType.BFloat16, y.dtype);
        const double Rounding = 1.0 / 128; // of the result, and of GELU's value or slope before it
        Close(expected, y, Rounding);
        Close(exact.grad!, x.grad!, Rounding);
        Close(exactWeight.grad!, weight.grad!, Rounding);
        Assert.Equal((ScalarType.BFloat16, ScalarType.Float32), (x.grad!.dtype, weight.grad!.dtype));
        if (shift is not null)
        {
            Close(exactShift!.grad!, shift.grad!, Rounding);
        }
    }

    [Fact]
    public void Sums_are_kept_in_float32()
    {
        using var scope = NewDisposeScope();
        const int Rows = 40_000; // in bf16, a sum of ones stays at 256
        var (x, weight, bias) = (ones([Rows, 2], dtype: ScalarType.BFloat16), ones(2, 2).requires_grad_(), zeros(2).requires_grad_());
        Fused.Linear(x, weight, bias).backward([ones([Rows, 2], dtype: ScalarType.BFloat16)]);
        Assert.Equal([Rows, Rows], bias.grad!.Doubles());
        Assert.Equal([Rows, Rows, Rows, Rows], weight.grad!.Doubles());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_not_asked_for_gets_no_gradient_and_changes_no_bit_of_the_others(bool gelu)
    {
        using var scope = NewDisposeScope();
        Tensor[] Run(bool graded)
        {
            var x = Draw(1, 200, 64).to(ScalarType.BFloat16).requires_grad_(graded);
            var (weight, bias) = (Draw(2, 32, 64).requires_grad_(), Draw(3, 32).requires_grad_());
            var y = Fused.Linear(x, weight, bias, gelu);
            y.backward([Draw(4, 200, 32).to(ScalarType.BFloat16)]);
            Assert.Equal(graded, x.grad is not null);
            return [y, weight.grad!, bias.grad!];
        }

        Assert.Equal(Run(true).Select(Numbers.Bytes), Run(false).Select(Numbers.Bytes));
        Assert.Equal(Run(true)[0].Bytes(), Fused.Linear(Draw(1, 200, 64), Draw(2, 32, 64), Draw(3, 32), gelu).Bytes());
    }

    [Fact]
    public void Batches_and_strides_are_laid_out()
    {
        using var scope = NewDisposeScope();
        Tensor[] Run(Func<Tensor, Tensor> lay)
        {
            var x = Draw(1, 64, 100, 4).to(ScalarType.BFloat16).requires_grad_();
            var (weight, bias) = (Draw(2, 32, 64).requires_grad_(), Draw(3, 32).requires_grad_());
            var y = Fused.Linear(lay(x.permute(2, 1, 0)), weight, bias); // [4, 100, 64]
            y.backward([Draw(4, 32, 400).to(ScalarType.BFloat16).t().view(y.shape)]);
            return [y.view(-1, 32), x.grad!, weight.grad!, bias.grad!];
        }

        Assert.Equal(Run(x => x.contiguous().view(400, 64)).Select(Numbers.Bytes), Run(x => x).Select(Numbers.Bytes));
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused_with_all_of_them()
    {
        using var scope = NewDisposeScope();
        Refused(
            "[300, 64], [32, 32], [32]; they must be […, in], [out, in] and [out]",
            () => Fused.Linear(zeros(300, 64), zeros(32, 32), zeros(32)));
        Refused("[300, 32], [16, 32], [15]", () => Fused.Linear(zeros(300, 32), zeros(16, 32), zeros(15)));
        Refused("[], [16, 32]", () => Fused.Linear(zeros([]), zeros(16, 32), null));
        Refused("[300, 32], [32]", () => Fused.Linear(zeros(300, 32), zeros(32), null));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void A_number_that_is_none_spoils_its_row_alone(float odd)
    {
        using var scope = NewDisposeScope();
        var x = Draw(1, 200, 64);
        x[7, 3] = odd;
        var y = Fused.Linear(x, Draw(2, 32, 64), null, gelu: true);
        Assert.False(y[7].to(ScalarType.Float32).isfinite().any().item<bool>());
        y[7] = 0;
        Assert.True(y.to(ScalarType.Float32).isfinite().all().item<bool>());
    }

    private static Tensor Draw(ulong seed, params long[] shape) => (Random(seed, shape) * 2).to(ScalarType.Float32);

    private static Tensor Rounded(Tensor x) => x.detach().to(ScalarType.BFloat16).to(ScalarType.Float64);
}
