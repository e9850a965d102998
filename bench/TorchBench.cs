using System.Diagnostics;
using System.Globalization;

namespace Recsys.Bench;

/// <summary>
/// The engine beside plain TorchSharp and beside an earlier build, each in a process of its own, round by round in one run.
/// </summary>
internal static class TorchBench
{
    private const string Plain = "plain TorchSharp", PlainFloat = "plain TorchSharp, float32";
    private const int Short = 15; // calls a round of what takes milliseconds

    // Each side prepares once and then gives one number a call, in milliseconds; a round takes the median of so many calls.
    private sealed record Case(
        string Name, string Key, Func<Func<double>> Ours, Func<Func<double>>? PlainTorch, double? PlainGoal, double? BeforeGoal,
        Func<double>? Floor = null, int Calls = 1, string PeerName = Plain);

    private static IReadOnlyList<Case> Cases { get; } =
    [
        new("decoder training step, bf16", "decoder", () => Timed(TorchCases.Decoder(fused: true, ScalarType.BFloat16)),
            () =>
                Timed(TorchCases.Decoder(fused: false, ScalarType.BFloat16)), .30, 1.0, () =>
                    DecoderShape.Flops / Machinery.ProductRate(ScalarType.BFloat16)),
        new(
            "DiT training step, bf16", "dit-training", () => Timed(TorchCases.DiTTraining(plain: false)),
            () => Timed(TorchCases.DiTTraining(plain: true)), .35, 1.0,
            () => 3 * DiffusionTransformer.Flops / Machinery.ProductRate(ScalarType.BFloat16), PeerName: PlainFloat),
        new(
            "DiT sampling, 4 guided steps, bf16", "dit-sampling", () => Timed(TorchCases.DiTSampling(plain: false)),
            () => Timed(TorchCases.DiTSampling(plain: true)), null, .9,
            () =>
                2 * DiffusionTransformer.SamplingSteps * DiffusionTransformer.Flops / Machinery.ProductRate(
                    ScalarType.BFloat16), PeerName: PlainFloat),
        new(
            "U-Net of the creative default, training step", "creative-step", () => () => Workloads.CreativeStep(),
            () => () => Workloads.CreativeStep(bf16: false), null, 1.1,
            PeerName: "the same layers in float32"),
        new("U-Net of the creative default, 4 pictures in 10 guided steps", "creative-drawing", Workloads.CreativeDrawing, null, null, 1.1),
        new(
            "AdamW step, 5 M parameters in 100 tensors", "adamw", () => Timed(TorchCases.AdamW(fused: true)),
            () => Timed(TorchCases.AdamW(fused: false)), .1, null,
            () => 5e6 * 4 * 7 / Machinery.CopyRate(), Calls: Short),
        new("beam search, one request, Beauty's shape", "beam", Workloads.BeamSearch, null, null, 1.0, Calls: Short),
    ];

    /// <param name="rounds">Rounds of each case, all sides in turn.</param>
    /// <param name="only">Part of the names of the cases to run; empty for all.</param>
    /// <param name="plainPeer">Answers as <see cref="AnswerAsPlain"/> does.</param>
    /// <param name="before">The earlier build; null: not measured.</param>
    public static List<BenchCase> Run(
        int rounds, string only, BenchPeer plainPeer, BenchPeer? before, Action<string> log, CancellationToken cancel)
    {
        var results = new List<BenchCase>();
        foreach (var measured in Cases.Where(c => c.Name.Contains(only, StringComparison.OrdinalIgnoreCase)))
        {
            using var scope = NewDisposeScope();
            Func<double>? ours = measured.Ours(), plain = measured.PlainTorch is null ? null : () =>
                plainPeer.Run(measured.Key), earlier = before is null ? null : () => before.Run(measured.Key);
            var runs = (Ours: new double[rounds], Plain: new double[rounds], Before: new double[rounds]);
            for (int round = -1; round < rounds; round++)
            {
                cancel.ThrowIfCancellationRequested();
                double? Turn(Func<double>? side) =>
                    side is null ? null : BenchCase.Median([.. Enumerable.Range(0, measured.Calls).Select(_ => side())]);
                var (a, b, c) = (Turn(ours)!.Value, Turn(plain), Turn(earlier));
                if (round >= 0)
                {
                    (runs.Ours[round], runs.Plain[round], runs.Before[round]) = (a, b ?? 0, c ?? 0);
                }
            }

            double? floor = measured.Floor?.Invoke() * 1e3;
            if (plain is not null)
            {
                results.Add(new BenchCase(measured.Name, "ms", runs.Ours, runs.Plain, measured.PeerName, floor, measured.PlainGoal));
            }

            if (earlier is not null || plain is null)
            {
                results.Add(
                    new BenchCase(
                        measured.Name, "ms", runs.Ours, earlier is null ? null : runs.Before, before?.Name, floor, measured.BeforeGoal));
            }

            log($"{measured.Name}: {results[^1].Ours:G4} ms");
        }

        return results;
    }

    /// <summary>The peers' side of <see cref="BenchPeer"/>: a case's key a line on the one hand, its milliseconds on the other,
    /// warm.</summary>
    public static void AnswerAsPlain(TextReader input, TextWriter output)
    {
        var work = new Dictionary<string, Func<double>>();
        while (input.ReadLine() is { } key)
        {
            if (!work.TryGetValue(key, out var run))
            {
                work[key] = run = Cases.First(c => c.Key == key && c.PlainTorch is not null).PlainTorch!();
                run();
            }

            output.WriteLine(run().ToString("R", CultureInfo.InvariantCulture));
            output.Flush();
        }
    }

    private static Func<double> Timed(Action work) => () =>
    {
        long started = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    };
}
