namespace Recsys.Torch.Tests;

/// <summary>Throws arguments of random kinds, shapes and dtypes, absent ones and disposed tensors at operators.</summary>
internal sealed class OperatorFuzz(int seed)
{
    private static readonly string[] Operators =
    [
        "add.Tensor", "sub.Scalar", "mul.Tensor", "div.Tensor_mode", "pow.Tensor_Scalar", "exp", "neg", "clamp", "where.self", "lerp.Scalar",
        "sum", "sum.dim_IntList", "mean.dim", "var.dim", "max.dim", "argmax", "cumsum", "logsumexp", "softmax.int", "log_softmax.int", "norm.ScalarOpt_dim",
        "view", "reshape", "permute", "transpose.int", "expand", "squeeze.dim", "unsqueeze", "narrow", "select.int", "slice.Tensor", "flip", "roll", "tril",
        "chunk", "split.Tensor", "split_with_sizes", "unbind.int", "cat", "stack", "unfold", "flatten.using_ints", "movedim.intlist", "diagonal",
        "gather", "scatter.src", "scatter_add", "index_select", "index_add", "masked_fill.Scalar", "masked_select", "take", "index.Tensor", "index_put",
        "sort.stable", "topk", "_unique2", "bincount", "searchsorted.Tensor", "bucketize.Tensor", "histc", "nonzero", "cdist",
        "matmul", "mm", "bmm", "addmm", "baddbmm", "einsum", "dot", "linalg_svd", "linalg_qr", "linalg_eigh", "linalg_cholesky", "linalg_solve", "linalg_inv",
        "linear", "embedding", "layer_norm", "group_norm", "batch_norm", "conv1d", "conv2d", "conv_transpose2d.input", "avg_pool2d", "max_pool2d",
        "adaptive_avg_pool2d", "upsample_bilinear2d.vec", "upsample_nearest2d.vec", "pad", "one_hot", "pixel_shuffle", "gelu", "silu", "leaky_relu", "softplus",
        "cross_entropy_loss", "nll_loss_nd", "mse_loss", "smooth_l1_loss", "binary_cross_entropy_with_logits", "kl_div", "dropout", "to.dtype", "arange.start_step",
        "multinomial", "bernoulli.p", "randint.low_generator", "fill_.Scalar", "add_.Tensor", "copy_", "zeros", "full", "eye.m", "linspace", "_foreach_add_.List", "_foreach_mul_.Scalar",
    ];

    private readonly Random _random = new(seed);

    /// <summary>Returns how many calls were accepted; any exception that is not typed comes through.</summary>
    public int Run(int calls, Action<string>? before = null)
    {
        var accepted = 0;
        using var g = new Generator(1);
        for (var i = 0; i < calls; i++)
        {
            using var scope = NewDisposeScope();
            var op = Operators[_random.Next(Operators.Length)];
            var types = Types(op);
            var count = _random.Next(10) == 0 ? _random.Next(1, 8) : _random.Next(1, types.Length + 1);
            var values = Enumerable.Range(0, count).Select(k => k < types.Length && _random.Next(12) != 0 ? Fitting(types[k], g) : Next(g)).ToArray();

            before?.Invoke($"{op}({string.Join(", ", values)})");
            try
            {
                Dispatcher.Run(op, values);
                accepted++;
            }
            catch (Exception e) when (e is TorchException or ObjectDisposedException)
            {
                Assert.False(string.IsNullOrWhiteSpace(e.Message));
            }
        }

        return accepted;
    }

    // "aten::sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor" gives the types in order.
    private static string[] Types(string op)
    {
        var schema = Dispatcher.Schema(op);
        var arguments = schema[(schema.IndexOf('(', StringComparison.Ordinal) + 1)..schema.LastIndexOf(") ->", StringComparison.Ordinal)];
        return [.. arguments.Split(", ").Where(a => a != "*" && a.Contains(' ', StringComparison.Ordinal)).Select(a => a[..a.IndexOf(' ', StringComparison.Ordinal)])];
    }

    private Value Fitting(string type, Generator g)
    {
        if (type.EndsWith('?') && _random.Next(2) == 0)
        {
            return default;
        }

        var kind = type.TrimEnd('?');
        return kind[..Math.Min(kind.IndexOfAny(['[', '(']) is var at && at >= 0 ? at : kind.Length, kind.Length)] switch
        {
            "Tensor" when kind.Contains('[', StringComparison.Ordinal) => Enumerable.Range(0, _random.Next(4)).Select(_ => (Tensor?)Some()).ToArray(),
            "Tensor" => Some(),
            "int" or "SymInt" when kind.Contains('[', StringComparison.Ordinal) => Enumerable.Range(0, _random.Next(4)).Select(_ => Small()).ToArray(),
            "int" or "SymInt" => Small(),
            "float" when kind.Contains('[', StringComparison.Ordinal) => Enumerable.Range(0, _random.Next(3)).Select(_ => _random.NextDouble() * 3).ToArray(),
            "float" => _random.NextDouble() * 2,
            "bool" => _random.Next(2) == 0,
            "Scalar" => _random.Next(2) == 0 ? _random.Next(-2, 4) : _random.NextDouble() * 2,
            "str" => new[] { "mean", "ij,jk->ik", "constant", "floor", "reduced" }[_random.Next(5)],
            "ScalarType" => new[] { float32, int64, bfloat16, @bool }[_random.Next(4)],
            "Generator" => g,
            _ => default,
        };
    }

    private Value Next(Generator g) => _random.Next(16) switch
    {
        0 => default,
        1 or 2 or 3 or 4 => Some(),
        5 => Disposed(),
        6 or 7 => Small(),
        8 => _random.NextDouble() * 4 - 2,
        9 => _random.Next(2) == 0,
        10 or 11 => Enumerable.Range(0, _random.Next(4)).Select(_ => Small()).ToArray(),
        12 => Enumerable.Range(0, _random.Next(4)).Select(_ => _random.Next(5) == 0 ? null : Some()).ToArray(),
        13 => new[] { "", "mean", "ij,jk->ik", "constant", "reflect", "floor", "reduced", "é\u0000" }[_random.Next(8)],
        14 => new[] { float32, int64, bfloat16, @bool }[_random.Next(4)],
        _ => _random.Next(2) == 0 ? (Value)g : new[] { 0.5, 2, double.NaN }[.._random.Next(4)],
    };

    private long Small() => _random.Next(12) switch
    {
        0 => -1,
        1 => -3,
        2 => long.MaxValue,
        3 => long.MinValue,
        4 => 100,
        var v => v - 5,
    };

    private Tensor Some()
    {
        var shape = Enumerable.Range(0, _random.Next(5)).Select(_ => (long)_random.Next(5)).ToArray();
        var t = _random.Next(5) switch
        {
            0 => randint(-2, 6, shape),
            1 => randn(shape) > 0,
            2 => randn(shape, dtype: bfloat16),
            3 => randn(shape, dtype: float64),
            _ => randn(shape),
        };
        return t.ndim > 1 && _random.Next(4) == 0 ? t.transpose(0, 1) : _random.Next(6) == 0 && t.is_floating_point() ? t.requires_grad_() : t;
    }

    private static Tensor Disposed()
    {
        var t = ones(2);
        t.Dispose();
        return t;
    }
}
