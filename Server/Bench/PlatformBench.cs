using System.Diagnostics;
using Recsys.Torch;
using Recsys.Torch.Modules;
using static Recsys.Torch.torch;
using static Recsys.Torch.torch.nn;

namespace Recsys.Server.Bench;

/// <summary>The engine beside PyTorch, round by round in one run: dispatch, a transformer's training step, an optimiser's step.</summary>
internal static class PlatformBench
{
    private sealed record Measured(string Name, string PeerCase, string Unit, double Scale, double? Goal, int Repetitions, Func<Action> Make, Func<double>? Floor = null);

    private static IReadOnlyList<Measured> Cases { get; } =
    [
        new("small add, no gradient", "small add", "µs", 1e6, 0.7, 5, () => SmallAdd(gradient: false)),
        new("small add, gradient", "small add, grad", "µs", 1e6, 0.7, 5, () => SmallAdd(gradient: true)),
        new("transformer training step, float32", "training step", "ms", 1e3, 0.65, 2, () => TrainingStep(bfloat16: false), () => BenchTransformer.Flops / ProductRate(ScalarType.Float32)),
        new("transformer training step, bfloat16 (peer: float32)", "training step", "ms", 1e3, 0.5, 2, () => TrainingStep(bfloat16: true), () => BenchTransformer.Flops / ProductRate(ScalarType.BFloat16)),
        new("DiT training step, float32", "dit training step", "ms", 1e3, 0.8, 2, () => DiTTraining(bfloat16: false), () => 3 * BenchDiT.Flops / ProductRate(ScalarType.Float32)),
        new("DiT training step, bfloat16 (peer: float32)", "dit training step", "ms", 1e3, 0.8, 2, () => DiTTraining(bfloat16: true), () => 3 * BenchDiT.Flops / ProductRate(ScalarType.BFloat16)),
        new("DiT sampling, 4 guided steps, float32", "dit sampling", "ms", 1e3, 0.7, 1, () => DiTSampling(bfloat16: false), () => 2 * BenchDiT.SamplingSteps * BenchDiT.Flops / ProductRate(ScalarType.Float32)),
        new("DiT sampling, 4 guided steps, bfloat16 (peer: float32)", "dit sampling", "ms", 1e3, 0.7, 1, () => DiTSampling(bfloat16: true), () => 2 * BenchDiT.SamplingSteps * BenchDiT.Flops / ProductRate(ScalarType.BFloat16)),
        new("AdamW step, 5 M parameters in 100 tensors", "adamw", "ms", 1e3, 0.5, 10, AdamWStep, () => 5e6 * 4 * 7 / CopyRate()),
    ];

    /// <param name="rounds">Rounds of each case, ours and the peer's in turn.</param>
    /// <param name="only">Part of the names of the cases to run; empty for all.</param>
    public static IReadOnlyList<BenchCase> Run(int rounds, string only, Action<string> log, CancellationToken cancel)
    {
        using var peer = PyTorchPeer.Start(get_num_threads());
        log(peer is null ? "no peer: Debian's python3-torch is not installed" : $"peer: {peer.Name}");
        var results = new List<BenchCase>();
        foreach (var measured in Cases.Where(c => c.Name.Contains(only, StringComparison.OrdinalIgnoreCase)))
        {
            cancel.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var work = measured.Make();
            work();
            peer?.Round(measured.PeerCase);
            var (ours, theirs) = (new double[rounds], peer is null ? null : new double[rounds]);
            for (int round = 0; round < rounds; round++)
            {
                cancel.ThrowIfCancellationRequested();
                var watch = Stopwatch.StartNew();
                for (int i = 0; i < measured.Repetitions; i++)
                {
                    work();
                }

                ours[round] = watch.Elapsed.TotalSeconds / measured.Repetitions / (measured.Unit == "µs" ? SmallCalls : 1) * measured.Scale;
                if (peer is not null)
                {
                    theirs![round] = peer.Round(measured.PeerCase) * measured.Scale;
                }
            }

            results.Add(new BenchCase(measured.Name, measured.Unit, ours, theirs, peer?.Name, measured.Floor?.Invoke() * measured.Scale, measured.Goal));
            log($"{measured.Name}: {results[^1].Ours:G4} {measured.Unit}");
        }

        return results;
    }

    private const int SmallCalls = 10_000;

    private static Action SmallAdd(bool gradient)
    {
        var (a, b) = (ones(4).requires_grad_(gradient), ones(4));
        return () =>
        {
            for (int i = 0; i < SmallCalls; i++)
            {
                (a + b).Dispose();
            }
        };
    }

    private static Action TrainingStep(bool bfloat16)
    {
        manual_seed(7);
        var model = new BenchTransformer();
        var parameters = model.parameters().ToList();
        var optimizer = optim.AdamW(parameters, 1e-3);
        var stream = randint(0, BenchTransformer.Tokens, [BenchTransformer.Rows, BenchTransformer.Length + 1], dtype: ScalarType.Int64);
        var offsets = arange(0, BenchTransformer.Rows + 1, ScalarType.Int64) * BenchTransformer.Length;
        return () =>
        {
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            Tensor loss;
            using (Autocast.On(CPU, ScalarType.BFloat16, bfloat16))
            {
                var logits = model.Forward(stream.narrow(1, 0, BenchTransformer.Length), offsets);
                loss = functional.cross_entropy(logits.to(ScalarType.Float32), stream.narrow(1, 1, BenchTransformer.Length).reshape(-1));
            }

            loss.backward();
            nn.utils.clip_grad_norm_(parameters, 1.0);
            optimizer.step();
        };
    }

    private static Action DiTTraining(bool bfloat16)
    {
        manual_seed(7);
        var model = new BenchDiT();
        var parameters = model.parameters().ToList();
        var optimizer = optim.AdamW(parameters, 1e-4);
        var (pictures, label) = (randn(BenchDiT.Batch, BenchDiT.Side, BenchDiT.Side), randint(0, BenchDiT.Classes, [BenchDiT.Batch], dtype: ScalarType.Int64));
        return () =>
        {
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            var (time, noise) = (rand(BenchDiT.Batch), randn_like(pictures));
            Tensor loss;
            using (Autocast.On(CPU, ScalarType.BFloat16, bfloat16))
            {
                var t = time.view(-1, 1, 1);
                loss = functional.mse_loss(model.Forward((1 - t) * pictures + t * noise, time, label).to(ScalarType.Float32), noise);
            }

            loss.backward();
            optimizer.step();
        };
    }

    // Classifier-free guidance costs two passes a step; the peer runs the same two.
    private static Action DiTSampling(bool bfloat16)
    {
        manual_seed(7);
        var model = new BenchDiT();
        var (start, label, other) = (randn(BenchDiT.Batch, BenchDiT.Side, BenchDiT.Side), zeros(BenchDiT.Batch, ScalarType.Int64), ones(BenchDiT.Batch, ScalarType.Int64));
        return () =>
        {
            using var scope = NewDisposeScope();
            using var mode = inference_mode();
            using var autocast = Autocast.On(CPU, ScalarType.BFloat16, bfloat16);
            var x = start;
            for (int step = 0; step < BenchDiT.SamplingSteps; step++)
            {
                using var inner = NewDisposeScope();
                var time = full(BenchDiT.Batch, 1 - ((double)step / BenchDiT.SamplingSteps), ScalarType.Float32);
                var (with, without) = (model.Forward(x, time, label), model.Forward(x, time, other));
                x = (x - (without + (with - without) * 3.0) / BenchDiT.SamplingSteps).to(ScalarType.Float32).MoveToOuterDisposeScope();
            }
        };
    }

    private static Action AdamWStep()
    {
        var parameters = Enumerable.Range(0, 100).Select(_ => new Parameter(randn(50_000))).ToList();
        foreach (var parameter in parameters)
        {
            parameter.grad = randn(50_000);
        }

        var optimizer = optim.AdamW(parameters, 1e-3);
        return () => optimizer.step();
    }

    /// <summary>Floating-point operations a second of one large product: the floor of whatever consists of products.</summary>
    private static double ProductRate(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var (a, b) = (randn(4096, 1024).to(type), randn(1024, 1024).to(type));
        return Best(() => matmul(a, b).Dispose(), 2.0 * 4096 * 1024 * 1024);
    }

    /// <summary>Bytes a second, read and written, of adding a number to a tensor far larger than the caches.</summary>
    private static double CopyRate()
    {
        using var scope = NewDisposeScope();
        var a = ones(1 << 26);
        return Best(() => a.add_(1), 2.0 * 4 * (1 << 26));
    }

    private static double Best(Action work, double amount)
    {
        double best = 0;
        for (int i = 0; i < 8; i++)
        {
            var watch = Stopwatch.StartNew();
            work();
            best = Math.Max(best, amount / watch.Elapsed.TotalSeconds);
        }

        return best;
    }
}
