using Recsys.Torch;
using Recsys.Torch.Modules;
using static Recsys.Torch.torch;
using F = Recsys.Torch.torch.nn.functional;

namespace Recsys.Server.Selftest;

/// <summary>What training is made of: optimisers, autocast, dtypes, random numbers, recomputation.</summary>
internal sealed class TrainingChecks : ISelfCheck
{
    private static readonly (string Name, Func<IEnumerable<Parameter>, optim.Optimizer> Make)[] Optimizers =
    [
        ("SGD", p => optim.SGD(p, 0.05, 0.9, weight_decay: 0.01, nesterov: true)),
        ("Adam", p => optim.Adam(p, 0.01, amsgrad: true)),
        ("AdamW", p => optim.AdamW(p, 0.01, weight_decay: 0.1)),
        ("Adagrad", p => optim.Adagrad(p, 0.1)),
        ("Lion", p => new Lion(p, 0.003, weight_decay: 0.1)),
        ("Adafactor", p => new Adafactor(p, 0.05)),
    ];

    public IEnumerable<CheckResult> Check(Device device, int seed)
    {
        foreach (var (name, make) in Optimizers)
        {
            yield return CheckResult.Of($"{name}, 5 steps", 1e-3, () => CheckResult.Relative(Trained(make, ScalarType.Float32, device, seed), Trained(make, ScalarType.Float64, CPU, seed)));
        }

        foreach (var type in new[] { ScalarType.BFloat16, ScalarType.Float16 })
        {
            yield return CheckResult.Of($"product in {type}", 0.02, () => Product(device, seed, x => x.to(type)));
        }

        yield return CheckResult.Of("product under autocast", 0.02, () =>
        {
            using var autocast = Autocast.On(device);
            return Product(device, seed, x => x);
        });
        yield return CheckResult.Of("integers and bools", 0, () => Integers(device));
        yield return CheckResult.Of("checkpointed dropout, gradient", 1e-6, () => Recomputed(device, seed));
        yield return CheckResult.Of("same seed, same numbers", 0, () => CheckResult.Relative(Drawn(device, seed), Drawn(device, seed)));
        if (device.type == DeviceType.CPU)
        {
            // PyTorch's manual_seed(0); randn(3).
            yield return CheckResult.Of("libtorch's random stream", 1e-6, () =>
            {
                using var scope = NewDisposeScope();
                manual_seed(0);
                return CheckResult.Relative(randn(3), tensor(new[] { 1.5409961f, -0.2934289f, -2.1787894f }));
            });
            yield return CheckResult.Of("random numbers whatever the threads", 0, () => OnOneAndAllThreads(() => Drawn(device, seed)));
            if (TorchRuntime.IsThreadInvariant)
            {
                yield return CheckResult.Of("weights whatever the threads", 0, () => OnOneAndAllThreads(() => Fitted(seed)));
            }
        }
    }

    private static double OnOneAndAllThreads(Func<Tensor> work)
    {
        int threads = get_num_threads();
        using var scope = NewDisposeScope();
        var many = work();
        try
        {
            set_num_threads(1);
            return CheckResult.Relative(work(), many);
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    // Products, convolutions, norms and sums long enough for every thread to have a share.
    private static Tensor Fitted(int seed)
    {
        using var generator = new Generator((ulong)seed, CPU);
        using Parameter kernel = new(randn([24, 3, 3, 3], generator: generator)), gain = new(ones(24)), shift = new(zeros(24)), weight = new(randn([40, 24 * 64], generator: generator));
        Tensor pictures = randn([96, 3, 16, 16], generator: generator), wanted = randn([96, 40], generator: generator);
        Parameter[] all = [kernel, gain, shift, weight];
        using var optimizer = optim.AdamW(all, 0.01);
        for (int step = 0; step < 3; step++)
        {
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            var x = F.silu(F.conv2d(pictures, kernel, padding: [1, 1], strides: [2, 2]));
            x = F.layer_norm(x.permute(0, 2, 3, 1), [24], gain, shift).flatten(1);
            F.mse_loss(F.linear(x, weight), wanted).backward();
            optimizer.step();
        }

        return cat([.. all.Select(p => p.detach().flatten())]);
    }

    private static Tensor Trained(Func<IEnumerable<Parameter>, optim.Optimizer> make, ScalarType type, Device device, int seed)
    {
        using var generator = new Generator((ulong)seed, CPU);
        Tensor Draw(params long[] shape) => randn(shape, ScalarType.Float64, generator: generator).to(type).to(device);
        using var scope = NewDisposeScope();
        using Parameter weight = new(Draw(4, 7)), bias = new(Draw(4));
        Tensor x = Draw(16, 7), y = Draw(16, 4);
        using var optimizer = make([weight, bias]);
        for (int step = 0; step < 5; step++)
        {
            optimizer.zero_grad();
            F.mse_loss(F.linear(x, weight, bias), y).backward();
            nn.utils.clip_grad_norm_([weight, bias], 1);
            optimizer.step();
        }

        return cat([weight.detach().view(-1), bias.detach()]).MoveToOuterDisposeScope();
    }

    private static double Product(Device device, int seed, Func<Tensor, Tensor> narrow)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed, CPU);
        Tensor a = randn([24, 64], generator: generator), b = randn([64, 16], generator: generator);
        return CheckResult.Relative(narrow(a.to(device)).matmul(narrow(b.to(device))), a.matmul(b));
    }

    private static double Integers(Device device)
    {
        using var scope = NewDisposeScope();
        var n = arange(12, ScalarType.Int64, device);
        var result = ((n * 7) % 5) + n.floor_divide(tensor(2L, device: device)) + n.gt(5).to(ScalarType.Int64) + n.to(ScalarType.Int32).bitwise_and(tensor(3, ScalarType.Int32, device));
        return CheckResult.Relative(result, tensor(Enumerable.Range(0, 12).Select(i => (long)((i * 7 % 5) + (i / 2) + (i > 5 ? 1 : 0) + (i & 3))).ToArray()));
    }

    private static double Recomputed(Device device, int seed)
    {
        Tensor Gradient(bool checkpointed)
        {
            using var scope = NewDisposeScope();
            manual_seed(seed);
            Tensor x = randn(8, 16).to(device).requires_grad_();
            Tensor Block(Tensor v) => F.dropout(v.sin(), 0.5).exp();
            (checkpointed ? ActivationCheckpoint.Run(Block, x) : Block(x)).sum().backward();
            return x.grad!.MoveToOuterDisposeScope();
        }

        using var outer = NewDisposeScope();
        return CheckResult.Relative(Gradient(true), Gradient(false));
    }

    private static Tensor Drawn(Device device, int seed)
    {
        using var scope = NewDisposeScope();
        manual_seed(seed);
        return cat(
        [
            rand([5000], device: device), randn([5000], device: device), randperm(5000, device: device).to(ScalarType.Float32),
            randint(100, [5000], device: device).to(ScalarType.Float32), F.dropout(ones([50000], device: device), 0.3),
            rand([50, 9], device: device).multinomial(3).to(ScalarType.Float32).view(-1),
        ]).MoveToOuterDisposeScope();
    }
}
