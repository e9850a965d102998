using F = Recsys.Torch.torch.nn.functional;

namespace Recsys.Torch.Tests.Robustness;

/// <summary>Operators and their gradients give the same bytes on any number of threads. Each is large enough to be cut into many pieces, at sizes that no vector divides.</summary>
public class ThreadTests
{
    private sealed record Case(long[][] Shapes, Func<Tensor[], Tensor> Work, bool Gradient = true, bool AlsoBFloat16 = true);

    private static readonly int[] Threads = [1, 2, 3, 8];

    private static readonly Dictionary<string, Case> Cases = new()
    {
        ["product"] = new([[203, 310], [310, 131]], x => mm(x[0], x[1])),
        ["product, a long sum"] = new([[131, 5003], [5003, 70]], x => mm(x[0], x[1])),
        ["product, many rows"] = new([[5003, 64], [64, 131]], x => mm(x[0], x[1])),
        ["product in float64"] = new([[203, 1001], [1001, 131]], x => mm(x[0].to(ScalarType.Float64), x[1].to(ScalarType.Float64)), AlsoBFloat16: false),
        ["matrix and vector"] = new([[3001, 701], [701]], x => mv(x[0], x[1]), AlsoBFloat16: false),
        ["transposed matrix and vector"] = new([[3001, 701], [3001]], x => mv(x[0].t(), x[1]), AlsoBFloat16: false),
        ["inner product"] = new([[300_001], [300_001]], x => dot(x[0], x[1]), AlsoBFloat16: false),
        ["products in a batch"] = new([[6, 101, 403], [6, 403, 67]], x => bmm(x[0], x[1])),
        ["linear"] = new([[2003, 130], [301, 130], [301]], x => F.linear(x[0], x[1], x[2])),
        ["attention, composed"] = new([[4, 3, 101, 32], [4, 3, 101, 32], [4, 3, 101, 32]], x => softmax(x[0].matmul(x[1].transpose(-1, -2)), -1).matmul(x[2])),
        ["attention"] = new([[4, 3, 101, 32], [4, 3, 101, 32], [4, 3, 101, 32]], x => F.scaled_dot_product_attention(x[0], x[1], x[2], is_casual: true)),
        ["convolution"] = new([[17, 33, 19, 19], [70, 33, 3, 3], [70]], x => F.conv2d(x[0], x[1], x[2], padding: [1, 1])),
        ["convolution, many pictures"] = new([[67, 3, 17, 17], [32, 3, 3, 3], [32]], x => F.conv2d(x[0], x[1], x[2], padding: [1, 1])),
        ["convolution, few pixels"] = new([[9, 64, 5, 5], [130, 64, 1, 1], [130]], x => F.conv2d(x[0], x[1], x[2])),
        ["convolution in steps"] = new([[16, 32, 20, 20], [64, 32, 3, 3], [64]], x => F.conv2d(x[0], x[1], x[2], strides: [2, 2], padding: [1, 1])),
        ["convolution by channel"] = new([[33, 32, 19, 19], [32, 1, 3, 3], [32]], x => F.conv2d(x[0], x[1], x[2], padding: [1, 1], groups: 32)),
        ["convolution of sequences"] = new([[17, 33, 307], [70, 33, 3], [70]], x => F.conv1d(x[0], x[1], x[2], padding: 1)),
        ["convolution of volumes"] = new([[3, 8, 9, 15, 15], [16, 8, 3, 3, 3], [16]], x => F.conv3d(x[0], x[1], x[2], padding: [1, 1, 1])),
        ["transposed convolution"] = new([[9, 33, 9, 9], [33, 20, 4, 4], [20]], x => F.conv_transpose2d(x[0], x[1], x[2], strides: [2, 2], padding: [1, 1]), AlsoBFloat16: false),
        ["layer norm"] = new([[3001, 77], [77], [77]], x => F.layer_norm(x[0], [77], x[1], x[2])),
        ["group norm"] = new([[9, 48, 19, 19], [48], [48]], x => F.group_norm(x[0], 8, x[1], x[2])),
        ["batch norm of rows"] = new([[5003, 33], [33], [33]], x => F.batch_norm(x[0], null!, null!, x[1], x[2], training: true)),
        ["batch norm of pictures"] = new([[9, 33, 19, 19], [33], [33]], x => F.batch_norm(x[0], null!, null!, x[1], x[2], training: true)),
        ["sum"] = new([[701, 1003]], x => x[0].sum()),
        ["sum of columns"] = new([[30_001, 17]], x => x[0].sum(0L)),
        ["mean"] = new([[701, 1003]], x => x[0].mean()),
        ["variance"] = new([[701, 1003]], x => x[0].var(), AlsoBFloat16: false),
        ["norm"] = new([[701, 1003]], x => x[0].norm(1), AlsoBFloat16: false),
        ["cumulated sum"] = new([[3001, 53]], x => x[0].cumsum(0)),
        ["softmax of columns"] = new([[3001, 53]], x => softmax(x[0], 0)),
        ["exponential, tail and all"] = new([[333_337]], x => exp(x[0]) + tanh(x[0]) + sigmoid(x[0])),
        ["activations, tail and all"] = new([[333_337]], x => F.silu(x[0]) + F.gelu(x[0]) + F.softplus(x[0])),
        ["a gain for every row"] = new([[1003, 131], [131]], x => x[0] * x[1] + x[1]),
        ["distances"] = new([[301, 65], [401, 65]], x => cdist(x[0], x[1]), AlsoBFloat16: false),
        ["cross-entropy"] = new([[1003, 301]], x => F.cross_entropy(x[0], Rows(1003, 301)), AlsoBFloat16: false),
        ["embedding"] = new([[301, 65]], x => F.embedding(Rows(20_003, 301), x[0])),
        ["indexing"] = new([[301, 65]], x => x[0][Rows(20_003, 301)]),
        ["rows added by index"] = new([[301, 65], [20_003, 65]], x => x[0].index_add(0, Rows(20_003, 301), x[1], 1)),
        ["scattered sums"] = new([[301, 65], [20_003, 65]], x => x[0].scatter_add(0, Rows(20_003, 301).unsqueeze(1).expand(20_003, 65), x[1])),
        ["accumulated by index"] = new([[301, 65], [20_003, 65]], x => x[0].index_put(x[1], [Rows(20_003, 301)], accumulate: true), AlsoBFloat16: false),
        ["singular values"] = new([[90, 60]], x => linalg.svd(x[0], fullMatrices: false).S, Gradient: false, AlsoBFloat16: false),
        ["eigenvalues"] = new([[120, 120]], x => linalg.eigh(x[0].matmul(x[0].t())).Item1, Gradient: false, AlsoBFloat16: false),
        ["solution"] = new([[300, 300], [300, 7]], x => linalg.solve(x[0], x[1]), Gradient: false, AlsoBFloat16: false),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [ThreadInvariantTheory]
    [MemberData(nameof(Names))]
    public void The_number_of_threads_does_not_show(string name)
    {
        int before = get_num_threads();
        try
        {
            foreach (var type in Cases[name].AlsoBFloat16 ? new[] { ScalarType.Float32, ScalarType.BFloat16 } : [ScalarType.Float32])
            {
                byte[]? first = null;
                foreach (int threads in Threads)
                {
                    set_num_threads(threads);
                    byte[] now = Run(Cases[name], type);
                    Assert.True(first is null || now.AsSpan().SequenceEqual(first), $"{name} in {type} gives other bytes on {threads} threads than on {Threads[0]}");
                    first ??= now;
                }
            }
        }
        finally
        {
            set_num_threads(before);
        }
    }

    private static byte[] Run(Case c, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var inputs = c.Shapes.Select((shape, i) => Numbers.Random(shape, (ulong)i + 1).to(type).requires_grad_(c.Gradient)).ToArray();
        var value = c.Work(inputs);
        var results = new Dictionary<string, Tensor> { ["value"] = value.detach().contiguous() };
        if (c.Gradient)
        {
            var gradients = autograd.grad([value], inputs, [Numbers.Random(value.shape, 9).to(value.dtype)]);
            for (int i = 0; i < gradients.Count; i++)
            {
                results[$"gradient {i}"] = gradients[i].contiguous();
            }
        }

        return SafetensorsFile.ToBytes(results);
    }

    private static Tensor Rows(long count, long below) => arange(count, ScalarType.Int64) * 7919 % below;
}

/// <summary>Runs where libtorch's loops are cut alike for any number of threads; a libtorch with its own MKL cuts by their number.</summary>
public sealed class ThreadInvariantTheoryAttribute : TheoryAttribute
{
    public ThreadInvariantTheoryAttribute()
    {
        if (!TorchRuntime.IsThreadInvariant)
        {
            Skip = "this libtorch carries its own MKL or oneDNN, or RECSYS_SHARES is 0";
        }
    }
}
