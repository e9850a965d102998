using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests;

public class GradientTests
{
    private static readonly Dictionary<string, (Func<Tensor, Tensor> F, long[] Shape, double Low)> Functions = new()
    {
        ["add"] = (x => x + x * 2, [3, 4], -1),
        ["mul"] = (x => x * x.flip(0), [3, 4], -1),
        ["div"] = (x => 1 / x, [3, 4], 0.5),
        ["pow"] = (x => x.pow(3), [3, 4], -1),
        ["exp"] = (x => x.exp(), [3, 4], -1),
        ["log"] = (x => x.log(), [3, 4], 0.5),
        ["sqrt"] = (x => x.sqrt(), [3, 4], 0.5),
        ["rsqrt"] = (x => x.rsqrt(), [3, 4], 0.5),
        ["tanh"] = (x => x.tanh(), [3, 4], -1),
        ["sigmoid"] = (x => x.sigmoid(), [3, 4], -1),
        ["sin"] = (x => x.sin() * x.cos(), [3, 4], -1),
        ["erf"] = (x => x.erf(), [3, 4], -1),
        ["matmul"] = (x => x.matmul(x.transpose(0, 1)), [3, 4], -1),
        ["bmm"] = (x => x.bmm(x.transpose(1, 2)), [2, 3, 4], -1),
        ["einsum"] = (x => einsum("ij,kj->ik", x, x), [3, 4], -1),
        ["softmax"] = (x => x.softmax(-1) * x, [3, 4], -1),
        ["log_softmax"] = (x => x.log_softmax(-1) * x, [3, 4], -1),
        ["logsumexp"] = (x => x.logsumexp(1), [3, 4], -1),
        ["gather"] = (x => x.gather(1, tensor(new long[,] { { 0, 2 }, { 1, 1 }, { 3, 0 } })).square(), [3, 4], -1),
        ["index_select"] = (x => x.index_select(0, tensor(new long[] { 2, 0, 2 })).square(), [3, 4], -1),
        ["indexing"] = (x => (x[1..3, 0] * x[TensorIndex.Ellipsis, 2][..2]).square(), [3, 4], -1),
        ["cat"] = (x => cat([x, x.square()], 1).square(), [3, 4], -1),
        ["var"] = (x => x.var(1), [3, 4], -1),
        ["cumsum"] = (x => x.cumsum(1).square(), [3, 4], -1),
        ["cdist"] = (x => cdist(x, x + 3), [3, 4], -1),
        ["layer_norm"] = (x => functional.layer_norm(x, [4], full(4, 1.5, dtype: ScalarType.Float64)) * x, [3, 4], -1),
        ["group_norm"] = (x => functional.group_norm(x, 2) * x, [2, 4, 3], -1),
        ["batch_norm"] = (x => functional.batch_norm(x, null, null, training: true) * x, [5, 3], -1),
        ["gelu"] = (x => functional.gelu(x), [3, 4], -1),
        ["silu"] = (x => functional.silu(x), [3, 4], -1),
        ["mish"] = (x => functional.mish(x), [3, 4], -1),
        ["softplus"] = (x => functional.softplus(x), [3, 4], -1),
        ["linear"] = (x => functional.linear(x, x, x.select(1, 0)), [4, 4], -1),
        ["conv2d"] = (x => functional.conv2d(x, x[.., .., ..2, ..2], padding: [1, 1], strides: [2, 1]), [2, 2, 4, 4], -1),
        ["conv1d"] = (x => functional.conv1d(x, x[.., .., ..3], padding: 1), [2, 2, 5], -1),
        ["conv_transpose2d"] = (x => functional.conv_transpose2d(x, x[.., .., ..2, ..2], strides: [2, 2]), [2, 2, 3, 3], -1),
        ["avg_pool2d"] = (x => functional.avg_pool2d(x, 2).square(), [1, 2, 4, 4], -1),
        ["max_pool2d"] = (x => functional.max_pool2d(x, 2).square(), [1, 2, 4, 4], -1),
        ["bilinear"] = (x => functional.interpolate(x, [7, 7], mode: InterpolationMode.Bilinear).square(), [1, 2, 4, 4], -1),
        ["bicubic"] = (x => functional.interpolate(x, [7, 7], mode: InterpolationMode.Bicubic).square(), [1, 2, 4, 4], -1),
        ["pad"] = (x => functional.pad(x, (1, 2, 0, 1), PaddingModes.Reflect).square(), [1, 2, 4, 4], -1),
        ["cross_entropy"] = (x => functional.cross_entropy(x, tensor(new long[] { 1, -100, 3 }), label_smoothing: 0.1), [3, 4], -1),
        ["mse"] = (x => functional.mse_loss(x, ones(3, 4, dtype: ScalarType.Float64)), [3, 4], -1),
        ["bce"] = (x => functional.binary_cross_entropy_with_logits(x, full([3, 4], 0.3, dtype: ScalarType.Float64)), [3, 4], -1),
        ["attention"] = (x => functional.scaled_dot_product_attention(x, x * 2, x.square()), [2, 3, 4], -1),
        ["causal attention"] = (x => functional.scaled_dot_product_attention(x, x * 2, x.square(), is_casual: true), [2, 3, 4], -1),
        ["normalize"] = (x => functional.normalize(x) * x, [3, 4], 0.5),
        ["cosine"] = (x => functional.cosine_similarity(x, x.square()), [3, 4], 0.5),
        ["svdvals"] = (x => linalg.svdvals(x), [3, 4], -1),
        ["cholesky"] = (x => linalg.cholesky(x.matmul(x.t()) + eye(3, dtype: ScalarType.Float64)), [3, 4], -1),
        ["solve"] = (x => linalg.solve(x[.., ..3] + eye(3, dtype: ScalarType.Float64) * 4, x), [3, 4], -1),
        ["inverse"] = (x => linalg.inv(x + eye(3, dtype: ScalarType.Float64) * 4), [3, 3], -1),
        ["where"] = (x => where(x > 0, x.square(), x * 3), [3, 4], -1),
        ["masked_fill"] = (x => x.square().masked_fill(x > 0.2, 1), [3, 4], -1),
        ["scatter_add"] = (x => zeros(3, 4, dtype: ScalarType.Float64).scatter_add(0, tensor(new long[,] { { 0, 1, 2, 0 }, { 0, 1, 0, 2 } }), x[..2].square()), [3, 4], -1),
        ["pixel_shuffle"] = (x => functional.pixel_shuffle(x, 2).square(), [1, 4, 2, 2], -1),
        ["unfold"] = (x => functional.unfold(x, 2).square(), [1, 2, 3, 3], -1),
        ["roll"] = (x => x.roll(1, 0) * x, [3, 4], -1),
        ["repeat_interleave"] = (x => x.repeat_interleave(2, 1).cumsum(1).square(), [3, 4], -1),
        ["amax"] = (x => x.amax(1).square(), [3, 4], -1),
    };

    public static TheoryData<string> Names => [.. Functions.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Gradients_equal_central_differences(string name)
    {
        using var scope = NewDisposeScope();
        var (f, shape, low) = Functions[name];
        var x = Random(shape, 7, low).requires_grad_();
        f(x).sum().backward();
        var analytic = x.grad!.Doubles();

        var start = x.Doubles();
        const double h = 1e-5;
        double At(int i, double shift)
        {
            var moved = (double[])start.Clone();
            moved[i] += shift;
            using var inner = NewDisposeScope();
            using var quiet = no_grad();
            return f(tensor(moved, shape)).sum().ToDouble();
        }

        for (var i = 0; i < start.Length; i++)
        {
            var numeric = (At(i, h) - At(i, -h)) / (2 * h);
            Assert.True(Math.Abs(numeric - analytic[i]) < 1e-4 * Math.Max(1, Math.Abs(numeric)), $"{name}, element {i}: {numeric} by differences, {analytic[i]} by backward");
        }
    }

    [Fact]
    public void Second_derivatives_come_from_create_graph()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1.0, 2.0, 3.0 }).requires_grad_();
        var first = autograd.grad([x.pow(3).sum()], [x], create_graph: true)[0];
        var second = autograd.grad([first.sum()], [x])[0];
        Close([6, 12, 18], second);
    }

    [Fact]
    public void An_unused_input_has_no_gradient_where_that_is_allowed_and_is_an_error_where_not()
    {
        using var scope = NewDisposeScope();
        var x = ones(2, requires_grad: true);
        var unused = ones(2, requires_grad: true);
        var g = autograd.grad([(x * 3).sum()], [x, unused], allow_unused: true);
        Close([3, 3], g[0]);
        Assert.Null(g[1]);
        Assert.Throws<TorchException>(() => autograd.grad([(x * 3).sum()], [x, unused]));
    }

    [Fact]
    public void Gradients_accumulate_until_they_are_taken_away()
    {
        using var scope = NewDisposeScope();
        var x = ones(2, requires_grad: true);
        (x * 3).sum().backward();
        (x * 4).sum().backward();
        Close([7, 7], x.grad!);
        x.grad = null;
        Assert.Null(x.grad);
    }

    [Fact]
    public void No_grad_records_nothing_and_its_scope_ends_with_it()
    {
        using var scope = NewDisposeScope();
        var x = ones(2, requires_grad: true);
        using (no_grad())
        {
            Assert.False(is_grad_enabled());
            Assert.False((x * 2).requires_grad);
            using (enable_grad())
            {
                Assert.True((x * 2).requires_grad);
            }

            Assert.False(is_grad_enabled());
        }

        Assert.True((x * 2).requires_grad);
        using (inference_mode())
        {
            Assert.True(is_inference_mode_enabled());
            Assert.False((x * 2).requires_grad);
        }

        Assert.False(is_inference_mode_enabled());
    }

    [Fact]
    public void Backward_with_inputs_fills_only_theirs()
    {
        using var scope = NewDisposeScope();
        var x = ones(2, requires_grad: true);
        var y = ones(2, requires_grad: true);
        (x * y).sum().backward(inputs: [x]);
        Assert.NotNull(x.grad);
        Assert.Null(y.grad);
    }
}
