using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests;

/// <summary>The kernels against the same thing composed of libtorch's operators in float64, values and gradients.</summary>
public class FusedTests
{
    public static TheoryData<long[], long, long, bool> Sequences => new()
    {
        { [1], 1, 8, true },
        { [5, 1, 12], 2, 8, true },
        { [33, 0, 64, 2, 100], 3, 20, true }, // longer than a block of rows; a width that is no multiple of a vector
        { [33, 0, 64, 2, 100], 2, 32, false },
        { [300], 1, 64, true },
    };

    [Theory]
    [MemberData(nameof(Sequences))]
    public void Self_attention_equals_the_composed_one_in_value_and_gradient(long[] lengths, long heads, long width, bool causal)
    {
        using var scope = NewDisposeScope();
        var offsets = Offsets(lengths);
        long tokens = lengths.Sum();
        var exact = (Random([tokens, 3, heads, width], 7) * 3).requires_grad_();
        var kernel = exact.detach().to(ScalarType.Float32).requires_grad_();
        var (expected, actual) = (Fused.SelfAttention(exact, offsets, causal), Fused.SelfAttention(kernel, offsets, causal));
        Close(expected, actual, 1e-5);

        var incoming = Random([tokens, heads, width], 8);
        (expected * incoming).sum().backward();
        (actual * incoming.to(ScalarType.Float32)).sum().backward();
        Close(exact.grad!, kernel.grad!, 2e-5);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Attention_with_queries_of_its_own_equals_the_composed_one(bool causal)
    {
        using var scope = NewDisposeScope();
        var (queryOffsets, keyOffsets) = (Offsets([3, 40, 0, 1]), Offsets([50, 41, 2, 1]));
        Tensor[] Inputs(ScalarType type) =>
            [.. new[] { (44L, 1UL), (94L, 2UL), (94L, 3UL) }.Select(of => Random([of.Item1, 2, 24], of.Item2).to(type).requires_grad_())];
        var (exact, kernel) = (Inputs(ScalarType.Float64), Inputs(ScalarType.Float32));
        var expected = Fused.Attention(exact[0], exact[1], exact[2], queryOffsets, keyOffsets, causal);
        var actual = Fused.Attention(kernel[0], kernel[1], kernel[2], queryOffsets, keyOffsets, causal);
        Close(expected, actual, 1e-5);
        expected.square().sum().backward();
        actual.square().sum().backward();
        for (var i = 0; i < 3; i++)
        {
            Close(exact[i].grad!, kernel[i].grad!, 2e-5);
        }
    }

    [Fact]
    public void In_bf16_only_inputs_and_results_are_rounded()
    {
        using var scope = NewDisposeScope();
        var offsets = Offsets([70, 30]);
        var narrow = Random([100, 3, 2, 32], 9).to(ScalarType.BFloat16).requires_grad_();
        var exact = narrow.detach().to(ScalarType.Float64).requires_grad_();
        var (expected, actual) = (Fused.SelfAttention(exact, offsets, true), Fused.SelfAttention(narrow, offsets, true));
        Assert.Equal(ScalarType.BFloat16, actual.dtype);
        Close(expected, actual, 1.0 / 256); // half a unit of bf16's last place
        expected.sum().backward();
        actual.sum().backward();
        Close(exact.grad!, narrow.grad!, 1.0 / 256);
    }

    [Fact]
    public void Scores_far_apart_neither_overflow_nor_leave_a_NaN()
    {
        using var scope = NewDisposeScope();
        var exact = (Random([40, 3, 1, 16], 10) * 400).requires_grad_();
        var kernel = exact.detach().to(ScalarType.Float32).requires_grad_();
        var actual = Fused.SelfAttention(kernel, Offsets([40]), true);
        Close(Fused.SelfAttention(exact, Offsets([40]), true), actual, 1e-3);
        actual.sum().backward();
        Assert.All(kernel.grad!.Doubles(), value => Assert.True(double.IsFinite(value)));
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.4)]
    public void Add_dropout_norm_equals_the_composed_one_under_the_same_mask(double p)
    {
        using var scope = NewDisposeScope();
        using var norm = nn.LayerNorm(48);
        using (no_grad())
        {
            norm.weight!.uniform_(0.5, 1.5);
            norm.bias!.uniform_(-1, 1);
        }

        var (x, branch) = (Random([150, 48], 1).to(ScalarType.Float32).requires_grad_(), Random([150, 48], 2).to(ScalarType.Float32).requires_grad_());
        var (sum, normed) = Fused.AddDropoutNorm(x, branch, norm, p, 77);
        var (first, second) = (Random([150, 48], 3).to(ScalarType.Float32), Random([150, 48], 4).to(ScalarType.Float32));
        ((sum * first).sum() + (normed * second).sum()).backward();
        var gradients = new[] { x.grad!, branch.grad!, norm.weight!.grad!, norm.bias!.grad! }.Select(g => g.clone()).ToArray();

        var mask = Fused.AddDropoutNorm(zeros(150, 48), ones(150, 48), norm, p, 77).Sum; // what is kept, scaled
        Assert.Equal(p == 0 ? 1 : 2, mask.Doubles().Distinct().Count());
        var (x2, branch2) = (x.detach().clone().requires_grad_(), branch.detach().clone().requires_grad_());
        norm.zero_grad();
        var (sum2, normed2) = Fused.Composed.AddDropoutNorm(x2, branch2 * mask, norm, 0);
        ((sum2 * first).sum() + (normed2 * second).sum()).backward();
        Close(sum2, sum, 1e-6);
        Close(normed2, normed, 1e-5);
        foreach (var (expected, actual) in new[] { x2.grad!, branch2.grad!, norm.weight!.grad!, norm.bias!.grad! }.Zip(gradients))
        {
            Close(expected, actual, 1e-4);
        }
    }

    [Fact]
    public void Dropout_falls_at_its_rate_and_follows_its_seed()
    {
        using var scope = NewDisposeScope();
        using var norm = nn.LayerNorm(1000);
        Tensor Mask(long seed) => Fused.AddDropoutNorm(zeros(1000, 1000), ones(1000, 1000), norm, 0.3, seed).Sum;
        var dropped = Mask(1).Doubles().Count(v => v == 0);
        var deviation = Math.Sqrt(1_000_000 * 0.3 * 0.7);
        Assert.InRange(dropped, 300_000 - (5 * deviation), 300_000 + (5 * deviation));
        Assert.Equal(Mask(1).Doubles(), Mask(1).Doubles());
        Assert.NotEqual(Mask(1).Doubles(), Mask(2).Doubles());
        Assert.Equal(Fused.Dropout(ones(5000), 0.3, 5).Doubles(), Fused.Dropout(ones(5000), 0.3, 5).Doubles());
        Assert.NotEqual(Fused.Dropout(ones(5000), 0.3, 5).Doubles(), Fused.Dropout(ones(5000), 0.3, 6).Doubles());
    }

    [Fact]
    public void No_bit_depends_on_the_number_of_threads()
    {
        using var scope = NewDisposeScope();
        var before = get_num_threads();
        try
        {
            double[] Run(int threads)
            {
                using var inner = NewDisposeScope();
                set_num_threads(threads);
                using var norm = nn.LayerNorm(64);
                var qkv = Random([500, 3, 2, 32], 11).to(ScalarType.Float32).requires_grad_();
                var read = Fused.SelfAttention(qkv, Offsets([120, 80, 7, 293]), true).view(500, 64);
                var (sum, normed) = Fused.AddDropoutNorm(read, read, norm, 0.2, 3);
                (sum * normed).sum().backward();
                return [.. qkv.grad!.Doubles(), .. norm.weight!.grad!.Doubles()];
            }

            Assert.Equal(Run(1), Run(2));
        }
        finally
        {
            set_num_threads(before);
        }
    }

    [Fact]
    public void Wrong_offsets_and_shapes_are_refused_by_name()
    {
        using var scope = NewDisposeScope();
        var qkv = zeros(10, 3, 2, 8);
        void Refused(string part, Action call) => Assert.Contains(part, Assert.ThrowsAny<TorchException>(call).Message, StringComparison.Ordinal);
        Refused("10 tokens", () => Fused.SelfAttention(qkv, tensor(new long[] { 0, 4 }), true));
        Refused("must not fall", () => Fused.SelfAttention(qkv, tensor(new long[] { 0, 6, 4, 10 }), true));
        Refused("int64", () => Fused.SelfAttention(qkv, tensor(new[] { 0f, 10f }), true));
        Refused("[tokens, 3, heads, width]", () => Fused.SelfAttention(zeros(10, 2, 2, 8), tensor(new long[] { 0, 10 }), true));
        Refused("has queries and no key", () => Fused.Attention(zeros(2, 1, 8), zeros(3, 1, 8), zeros(3, 1, 8), tensor(new long[] { 0, 1, 2 }), tensor(new long[] { 0, 0, 3 }), false));
        Refused("shape", () => Fused.AddDropoutNorm(zeros(4, 8), zeros(4, 9), nn.LayerNorm(8), 0, 1));
        Refused("first derivative", () =>
        {
            var x = qkv.clone().requires_grad_();
            autograd.grad([Fused.SelfAttention(x, Offsets([10]), true).square().sum()], [x], create_graph: true);
        });
    }

    private static Tensor Offsets(long[] lengths) => tensor(lengths.Aggregate(new List<long> { 0 }, (sums, length) => [.. sums, sums[^1] + length]).ToArray());
}
