using static Recsys.Torch.torch;
using F = Recsys.Torch.torch.nn.functional;

namespace Recsys.Torch.Tests;

/// <summary>scaled_dot_product_attention above the sizes at which the whole matrix of scores is avoided, beside that matrix.</summary>
public class AttentionMemoryTests
{
    [Theory]
    [InlineData(2, 3, 300, 300, false)]
    [InlineData(2, 3, 300, 300, true)]
    [InlineData(1, 4, 260, 410, false)]
    [InlineData(3, 2, 410, 230, true)]
    public void The_kernel_gives_values_and_gradients_of_the_whole_matrix(long batch, long heads, long queries, long keys, bool causal) =>
        Agree(batch, heads, queries, keys, causal, null, 2e-5);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Blocks_give_values_and_gradients_of_the_whole_matrix(bool boolean)
    {
        using var scope = NewDisposeScope();
        Tensor mask = randn(2100, 2050);
        Agree(1, 4, 2100, 2050, false, boolean ? mask > -1 : mask, 2e-4); // 69 MB of scores
    }

    [Fact]
    public void Scores_of_a_gigabyte_are_never_in_memory()
    {
        using var scope = NewDisposeScope();
        Tensor q = randn(1, 2, 11000, 8), k = randn(1, 2, 11000, 8); // 968 MB of scores
        using var quiet = no_grad();
        F.scaled_dot_product_attention(q[.., .., ..600], k[.., .., ..600], k[.., .., ..600]);
        long before = Peak();
        Tensor read = F.scaled_dot_product_attention(q, k, k);
        Assert.InRange(Peak() - before, 0, 200 << 20);
        Tensor row = (q[0, 1, 777] / Math.Sqrt(8)).matmul(k[0, 1].t()).softmax(0).matmul(k[0, 1]);
        Assert.True(read[0, 1, 777].allclose(row, 1e-4, 1e-5));
    }

    private static void Agree(long batch, long heads, long queries, long keys, bool causal, Tensor? mask, double tolerance)
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        Tensor[] inputs = [.. new[] { queries, keys, keys }.Select(n => randn(batch, heads, n, 16))];
        Tensor[] Gradients(Func<Tensor[], Tensor> attend)
        {
            Tensor[] leaves = [.. inputs.Select(x => x.clone().requires_grad_())];
            Tensor read = attend(leaves);
            (read * read.detach().cos()).sum().backward();
            return [read.detach(), .. leaves.Select(x => x.grad!)];
        }

        Tensor whole = causal ? ones(queries, keys, ScalarType.Bool).tril() : mask ?? ones(queries, keys, ScalarType.Bool);
        Tensor bias = whole.dtype == ScalarType.Bool ? zeros(queries, keys).masked_fill(whole.logical_not(), double.NegativeInfinity) : whole;
        Tensor[] expected = Gradients(x => ((x[0] / 4).matmul(x[1].transpose(2, 3)) + bias).softmax(-1).matmul(x[2]));
        Tensor[] actual = Gradients(x => F.scaled_dot_product_attention(x[0], x[1], x[2], mask, is_casual: causal));
        Assert.All(expected.Zip(actual), v => Assert.True((v.First - v.Second).abs().max().ToDouble() <= tolerance * Math.Max(1, v.First.abs().max().ToDouble())));
    }

    private static long Peak() => long.Parse(File.ReadLines("/proc/self/status").Single(line => line.StartsWith("VmHWM", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2]) * 1024;
}
