using Recsys.Torch.Modules;
using static Recsys.Torch.torch;
using F = Recsys.Torch.torch.nn.functional;

namespace Recsys.Torch.Tests;

public class ActivationCheckpointTests
{
    [Fact]
    public void Gradients_are_the_same_bytes_with_dropout_in_between()
    {
        float[][] Train(bool checkpointed)
        {
            using var scope = NewDisposeScope();
            manual_seed(5);
            using var first = nn.Sequential(nn.Linear(16, 64), nn.GELU(), nn.Dropout(0.3), nn.Linear(64, 16));
            using var second = nn.Sequential(nn.Linear(16, 64), nn.Tanh(), nn.Dropout(0.5), nn.Linear(64, 16));
            Tensor x = randn(32, 16).requires_grad_();
            Tensor h = checkpointed ? ActivationCheckpoint.Run(first, x) : first.call(x);
            Tensor y = checkpointed ? ActivationCheckpoint.Run(second, h + x) : second.call(h + x);
            y.square().sum().backward();
            // What is drawn after the pass is the same too.
            return [y.data<float>().ToArray(), x.grad!.data<float>().ToArray(),
                .. first.parameters().Concat(second.parameters()).Select(p => p.grad!.data<float>().ToArray()), rand(4).data<float>().ToArray()];
        }

        Assert.Equal(Train(false), Train(true));
    }

    [Fact]
    public void Several_inputs_and_outputs_some_without_a_gradient()
    {
        using var scope = NewDisposeScope();
        Tensor a = tensor(new double[] { 1, 2, 3 }).requires_grad_(), b = tensor(new double[] { 4, 5, 6 }), c = tensor(new double[] { 7, 8, 9 }).requires_grad_();
        var outputs = ActivationCheckpoint.Run(x => [x[0] * x[1], x[2].square(), x[0].argmax()], [a, b, c]);
        Assert.Equal(2, outputs[2].ToInt64());
        Assert.False(outputs[2].requires_grad);
        outputs[0].sum().backward(); // the second output is not used: its gradient is absent
        Assert.Equal([4, 5, 6], a.grad!.data<double>().ToArray());
        Assert.Null(b.grad);
        Assert.True(c.grad is null || c.grad.abs().max().ToDouble() == 0);
    }

    [Fact]
    public void Parameters_get_gradients_where_no_input_wants_one()
    {
        using var scope = NewDisposeScope();
        using var layer = nn.Linear(3, 2);
        ActivationCheckpoint.Run(layer, ones(4, 3)).sum().backward();
        Assert.Equal([4f, 4f], layer.bias!.grad!.data<float>().ToArray());
    }

    [Fact]
    public void Checkpoints_nest()
    {
        using var scope = NewDisposeScope();
        Tensor x = tensor(new double[] { 0.3, -0.8 }).requires_grad_();
        ActivationCheckpoint.Run(y => ActivationCheckpoint.Run(z => z.exp(), y.sin()).square(), x).sum().backward();
        double[] expected = [.. new[] { 0.3, -0.8 }.Select(v => 2 * Math.Exp(2 * Math.Sin(v)) * Math.Cos(v))];
        Assert.All(expected.Zip(x.grad!.data<double>().ToArray()), v => Assert.Equal(v.First, v.Second, 1e-12));
    }

    [Fact]
    public void Autocast_is_as_it_was()
    {
        using var scope = NewDisposeScope();
        using var layer = nn.Linear(8, 8);
        List<ScalarType> seen = [];
        Tensor y;
        using (Autocast.Cpu())
        {
            y = ActivationCheckpoint.Run(
                x =>
                {
                    var z = layer.call(x);
                    seen.Add(z.dtype);
                    return z;
                },
                randn(4, 8));
        }

        y.to(ScalarType.Float32).sum().backward();
        Assert.Equal([ScalarType.BFloat16, ScalarType.BFloat16], seen);
        Assert.False(Autocast.IsEnabled());
    }

    [Fact]
    public void A_fault_of_the_second_run_surfaces_and_the_engine_goes_on()
    {
        using var scope = NewDisposeScope();
        int calls = 0;
        Tensor x = ones(2).requires_grad_();
        var y = ActivationCheckpoint.Run(v => ++calls == 2 ? throw new InvalidOperationException("the disk is full") : v * 2, x);
        Assert.Contains("the disk is full", Assert.Throws<TorchException>(() => y.sum().backward()).Message);
        (x * 3).sum().backward();
        Assert.Equal([3f, 3f], x.grad!.data<float>().ToArray());
    }

    [Fact]
    public void What_PyTorch_refuses_is_refused()
    {
        using var scope = NewDisposeScope();
        Tensor x = ones(2).requires_grad_();
        Assert.Contains("backward()", Assert.Throws<TorchException>(() => autograd.grad([ActivationCheckpoint.Run(v => v * 2, x).sum()], [x])).Message);
        var y = ActivationCheckpoint.Run(v => v.exp(), x).sum();
        y.backward();
        Assert.Contains("second backward", Assert.Throws<TorchException>(() => y.backward()).Message);
        var kept = ActivationCheckpoint.Run(v => v * 2, x).sum();
        kept.backward(retain_graph: true);
        kept.backward();
    }

    [Fact]
    public void Without_gradients_the_function_runs_once_and_nothing_is_kept()
    {
        long before = LiveTensorCount;
        using (NewDisposeScope())
        using (no_grad())
        {
            Assert.False(ActivationCheckpoint.Run(v => v * 2, ones(2).requires_grad_()).requires_grad);
        }

        using (NewDisposeScope())
        {
            Tensor x = ones(2).requires_grad_();
            ActivationCheckpoint.Run(v => v.exp().sin(), x); // never sent back
            ActivationCheckpoint.Run(v => v.exp().sin(), x).sum().backward();
            Assert.Throws<DivideByZeroException>(() => ActivationCheckpoint.Run(v => throw new DivideByZeroException(), x));
        }

        Assert.Equal(before, LiveTensorCount);
    }

    [Fact]
    public void Memory_falls()
    {
        const int Blocks = 5, Inner = 4;
        Tensor Block(Tensor x)
        {
            for (int i = 0; i < Inner; i++)
            {
                x = x.relu(); // each keeps its result, 34 MB
            }

            return x;
        }

        long Grown(bool checkpointed)
        {
            using var scope = NewDisposeScope();
            Tensor x = ones(1 << 23).mul(0.5).requires_grad_(), h = x;
            long before = InUse();
            for (int i = 0; i < Blocks; i++)
            {
                h = checkpointed ? ActivationCheckpoint.Run(Block, h) : Block(h);
            }

            long kept = InUse() - before;
            h.sum().backward();
            Assert.NotNull(x.grad);
            return kept;
        }

        const long Result = 4 << 23;
        long checkpointed = Grown(true), plain = Grown(false);
        Assert.InRange(plain, (Blocks * Inner * Result) - (4 * Result), long.MaxValue);
        Assert.InRange(checkpointed, 0, (Blocks + 2) * Result);
    }

    // Without the freed blocks that are kept for the next owner.
    private static long InUse() => Resident() - TorchRuntime.KeptBytes;

    private static long Resident() => long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1]) * Environment.SystemPageSize;
}
