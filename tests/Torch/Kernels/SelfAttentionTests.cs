using Recsys.Torch.Kernels;
using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests.Kernels;

/// <summary>The loops against the same thing composed of libtorch's operators in float64, values and gradients.</summary>
public sealed class SelfAttentionTests
{
    public static TheoryData<long[], long, long> Shapes => new()
    {
        { [], 3, 8 }, // no sequence
        { [0, 0], 2, 16 }, // sequences without a token
        { [1], 1, 1 }, // one element
        { [3, 1, 40], 4, 1 },
        { [5, 1, 12], 2, 8 },
        { [33, 0, 64, 2, 100], 3, 20 }, // longer than a block of rows, an empty one in the middle, a width that fills no vector
        { [0, 17, 0], 2, 33 },
        { [31, 32, 33, 95, 96, 97], 1, 48 },
        { [1100, 1, 900, 0, 600], 1, 32 },
        { [1, 1, 1, 1, 1, 1, 1, 1], 5, 100 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void In_fp32_it_equals_the_composed_one_in_values_and_gradients(long[] lengths, long heads, long width)
    {
        Compare(lengths, heads, width, causal: true, ScalarType.Float32, 1e-5);
        Compare(lengths, heads, width, causal: false, ScalarType.Float32, 1e-5);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void In_bf16_only_inputs_and_results_are_rounded(long[] lengths, long heads, long width)
    {
        Compare(lengths, heads, width, causal: true, ScalarType.BFloat16, 1.0 / 256);
        Compare(lengths, heads, width, causal: false, ScalarType.BFloat16, 1.0 / 256);
    }

    [Theory]
    [InlineData(ScalarType.Float32, 1e-5)]
    [InlineData(ScalarType.BFloat16, 1.0 / 256)]
    public void Inputs_and_gradients_of_any_strides_are_read_rightly(ScalarType type, double share)
    {
        using var scope = NewDisposeScope();
        var exact = Random(4, 2, 3, 24, 30).to(type).to(ScalarType.Float64).requires_grad_();
        var narrow = exact.detach().to(type).requires_grad_();
        Tensor Read(Tensor x) => Fused.SelfAttention(x.permute(3, 1, 0, 2), Offsets(12, 18), true).permute(2, 0, 1); // [24, 30, 2]
        var (expected, actual) = (Read(exact), Read(narrow));
        var incoming = Random(5, 24, 30, 2).to(type);
        expected.backward([incoming.to(ScalarType.Float64)]);
        actual.backward([incoming]);
        Close(expected, actual, share);
        Close(exact.grad!, narrow.grad!, share);
    }

    [Fact]
    public void Scores_far_apart_neither_overflow_nor_leave_a_NaN()
    {
        using var scope = NewDisposeScope();
        var exact = (Random(10, 40, 3, 1, 16) * 400).to(ScalarType.Float32).to(ScalarType.Float64).requires_grad_();
        var kernel = exact.detach().to(ScalarType.Float32).requires_grad_();
        var (expected, actual) = (Fused.SelfAttention(exact, Offsets(40), true), Fused.SelfAttention(kernel, Offsets(40), true));
        Close(expected, actual, 1e-2); // scores of 10⁵ have a last place of 10⁻²
        actual.sum().backward();
        Assert.All(kernel.grad!.Doubles(), value => Assert.True(double.IsFinite(value)));
    }

    [Fact]
    public void Without_gradients_the_values_are_the_same()
    {
        using var scope = NewDisposeScope();
        var qkv = Random(6, 50, 3, 2, 20).to(ScalarType.Float32);
        var trained = Fused.SelfAttention(qkv.clone().requires_grad_(), Offsets(20, 30), true);
        Assert.Equal(trained.Bytes(), Fused.SelfAttention(qkv, Offsets(20, 30), true).Bytes());
    }

    [Fact]
    public void No_bit_depends_on_the_number_of_threads()
    {
        using var scope = NewDisposeScope();
        int before = get_num_threads();
        byte[] Run(int threads)
        {
            set_num_threads(threads);
            var qkv = Random(11, 500, 3, 2, 32).to(ScalarType.Float32).requires_grad_();
            Fused.SelfAttention(qkv, Offsets(120, 80, 7, 293), true).square().sum().backward();
            return qkv.grad!.Bytes();
        }

        try
        {
            Assert.Equal(Run(1), Run(2));
        }
        finally
        {
            set_num_threads(before);
        }
    }

    [Fact]
    public void Shapes_and_offsets_that_do_not_fit_are_refused_with_value_and_limit()
    {
        using var scope = NewDisposeScope();
        var qkv = zeros(10, 3, 2, 8);
        void With(string part, Tensor offsets) => Refused(part, () => Fused.SelfAttention(qkv, offsets, true));
        With("run from 0 to 4; they must run from 0 to the 10 tokens", Offsets(4));
        With("run from 0 to 11; they must run from 0 to the 10 tokens", Offsets(11));
        With("run from 1 to 10; they must", tensor(new long[] { 1, 10 }));
        With("fall from 6 to 4 at place 2; they must not fall", tensor(new long[] { 0, 6, 4, 10 }));
        With("fall from 0 to -1 at place 1", tensor(new long[] { 0, -1, 10 }));
        With("Float32 [2]; they must be a dense int64 vector", tensor(new[] { 0f, 10f }));
        With("Int32 [2]; they must be a dense int64 vector", tensor(new[] { 0, 10 }));
        With("Int64 [1, 2]; they must be a dense int64 vector", Offsets(10).unsqueeze(0));
        With("Int64 [0]; they must be a dense int64 vector", empty(0, dtype: ScalarType.Int64));
        With("Int64 [2]; they must be a dense int64 vector", tensor(new long[] { 0, 5, 10, 10 }).slice(0, 0, 4, 2));
        Refused("[10, 2, 2, 8]; it must be [tokens, 3, heads, width]", () => Fused.SelfAttention(zeros(10, 2, 2, 8), Offsets(10), true));
        Refused("[10, 3, 16]; it must be [tokens, 3, heads, width]", () => Fused.SelfAttention(zeros(10, 3, 16), Offsets(10), true));
    }

    private static void Compare(long[] lengths, long heads, long width, bool causal, ScalarType type, double share)
    {
        using var scope = NewDisposeScope();
        var offsets = Offsets(lengths);
        var narrow = (Random(7, lengths.Sum(), 3, heads, width) * 3).to(type).requires_grad_();
        var exact = narrow.detach().to(ScalarType.Float64).requires_grad_();
        var (expected, actual) = (Fused.Composed.SelfAttention(exact, offsets, causal), Fused.SelfAttention(narrow, offsets, causal));
        var incoming = Random(8, lengths.Sum(), heads, width).to(type);
        expected.backward([incoming.to(ScalarType.Float64)]);
        actual.backward([incoming]);
        Assert.Equal(type, actual.dtype);
        Close(expected, actual, share);
        Close(exact.grad!, narrow.grad!, share);
    }
}
