using Recsys.Torch.Kernels;
using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests.Kernels;

/// <summary>All kernels in one small training.</summary>
public sealed class TrainingStepTests
{
    [Fact]
    public void A_scoped_step_leaves_no_tensor_behind()
    {
        using var block = new Block(seed: 1);
        block.Step(0); // makes the gradients
        long inThread = DisposeScopeManager.Statistics.ThreadTotalLiveCount, inAll = LiveTensors();
        for (int step = 1; step < 4; step++)
        {
            block.Step(step);
            Assert.Equal(inThread, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
            Assert.Equal(inAll, LiveTensors());
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_a_kernel_keeps_for_backward_is_freed_with_its_graph(bool backward)
    {
        using var norm = nn.LayerNorm(64);
        long Grown(int times)
        {
            long before = Environment.WorkingSet;
            for (int i = 0; i < times; i++)
            {
                using var scope = NewDisposeScope();
                var qkv = zeros(8192, 3, 1, 64).requires_grad_(); // 6 MB
                var read = Fused.SelfAttention(qkv, Offsets([.. Enumerable.Repeat(64L, 128)]), true).view(8192, 64);
                var (sum, normed) = Fused.AddDropoutNorm(read, read, norm, 0.5, 2);
                if (backward)
                {
                    (sum + normed).sum().backward();
                }
            }

            return Environment.WorkingSet - before;
        }

        Grown(5);
        Assert.InRange(Grown(40), long.MinValue, 100L << 20); // kept graphs would be 300 MB and more
    }

    [Fact]
    public void The_same_seed_gives_the_same_bytes()
    {
        byte[] Train(int seed)
        {
            using var block = new Block(seed);
            for (int step = 0; step < 5; step++)
            {
                block.Step(step);
            }

            return block.Weights();
        }

        Assert.Equal(Train(1), Train(1));
        Assert.NotEqual(Train(1), Train(2));
    }

    private sealed class Block : IDisposable
    {
        private readonly int _seed;
        private readonly nn.Module<Tensor, Tensor> _input, _output;
        private readonly LayerNorm _norm;
        private readonly FusedAdamW _optimizer;

        public Block(int seed)
        {
            manual_seed(_seed = seed);
            (_input, _output, _norm) = (nn.Linear(24, 72), nn.Linear(24, 24), nn.LayerNorm(24));
            _optimizer = new FusedAdamW([.. Parameters], 1e-2, 0.1);
        }

        private IEnumerable<Parameter> Parameters => _input.parameters().Concat(_output.parameters()).Concat(_norm.parameters());

        public void Step(int step)
        {
            using var scope = NewDisposeScope();
            var x = Random((ulong)step, 40, 24).to(ScalarType.Float32);
            var read = Fused.SelfAttention(_input.forward(x).view(40, 3, 2, 12), Offsets(13, 0, 27), true).view(40, 24);
            var (sum, normed) = Fused.AddDropoutNorm(x, _output.forward(read), _norm, 0.2, _seed + step);
            foreach (var parameter in Parameters)
            {
                parameter.grad?.zero_();
            }

            (sum * normed).mean().backward();
            _optimizer.step();
        }

        public byte[] Weights() => [.. Parameters.SelectMany(parameter => parameter.Bytes())];

        public void Dispose()
        {
            _input.Dispose();
            _output.Dispose();
            _norm.Dispose();
            _optimizer.Dispose();
        }
    }
}
