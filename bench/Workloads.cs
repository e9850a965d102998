using System.Diagnostics;
using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Retrieval;
using Recsys.Retrieval.Decoding;
using Recsys.Retrieval.Training;

namespace Recsys.Bench;

/// <summary>Cases through the product's own public calls: this file is compiled here, and in bench/before beside the build that it is
/// measured against.</summary>
internal static class Workloads
{
    private const int Items = 12_101, Codes = 256, Levels = 3; // as many as Beauty has, and its codebook's sizes

    /// <summary>Training steps of the creative default: batch 32 of 32 × 32 pictures.</summary>
    /// <param name="bf16">As by default; otherwise everything in float32.</param>
    /// <returns>Milliseconds a step, the median of those after the second.</returns>
    public static double CreativeStep(bool bf16 = true)
    {
        var (data, _) = Pictures();
        var options = CreativeOptions.Default with { Steps = 8, WarmupSteps = 1, ReportEvery = 1, Bf16 = bf16 };
        var times = new List<long>();
        CreativeTrainer.Train(data, options, 7, new Instant(() => times.Add(Stopwatch.GetTimestamp()))).Dispose();
        var steps = times.Zip(times.Skip(1), (from, to) => Stopwatch.GetElapsedTime(from, to).TotalMilliseconds).Skip(2).Order().ToArray();
        return steps[steps.Length / 2];
    }

    /// <summary>Four pictures of the creative default in 10 guided steps.</summary>
    public static Func<double> CreativeDrawing()
    {
        var (data, ids) = Pictures();
        var model = CreativeTrainer.Train(data, CreativeOptions.Default with { Steps = 1, WarmupSteps = 0 }, 7);
        return () => Time(() => model.Draw(ids[..4], [1, 2, 3, 4], 10, 2));
    }

    /// <summary>One request: a history of 20 items, k 10, the default beam, Beauty's shape with weights of one step.</summary>
    public static Func<double> BeamSearch()
    {
        var random = new Random(7);
        var assigned = new Dictionary<string, ushort>();
        var ids = Enumerable.Range(0, Items).Select(_ =>
        {
            var codes = Enumerable.Range(0, Levels).Select(_ => (ushort)random.Next(Codes)).ToArray();
            string key = string.Join('-', codes);
            ushort collision = assigned.GetValueOrDefault(key);
            assigned[key] = (ushort)(collision + 1);
            return new SemanticId(codes, collision);
        }).ToArray();
        var table = new ItemTable(
            [.. Enumerable.Range(0, Items).Select(i => $"{i}")], ids, [.. Enumerable.Range(0, Items).Select(_ => "")],
            [.. Enumerable.Repeat(Codes, Levels)]);
        var sequences = new SequenceSet(
            [.. Enumerable.Range(0, 100).Select(i => $"{i}")], [.. Enumerable.Range(0, 101).Select(i => i * 21)],
            [.. Enumerable.Range(0, 2100).Select(_ => random.Next(Items))]);
        var model = RetrievalTrainer.Train(
            new RetrievalTrainingData { Items = table, Training = sequences },
#if BEFORE
            new RetrievalOptions { MinSteps = 1, MaxSteps = 1, Epochs = 1 }, 7);
#else
            new RetrievalOptions
            {
                Transitions = null, Id = null, Content = null, Generative = new() { MinSteps = 1, MaxSteps = 1, Epochs = 1 },
            }, 7);
#endif
        var recommender = new Recommender(model, table);
        var history = Enumerable.Range(0, 20).Select(i => i * 37).ToArray();
        return () => Time(() => recommender.Recommend(new RecommendQuery(history, 10), CancellationToken.None));
    }

    private static double Time(Action work)
    {
        long started = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    private static (CreativeTrainingData Data, SemanticId[] Ids) Pictures()
    {
        var random = new Random(7);
        var ids = Enumerable.Range(0, 256)
            .Select(_ => new SemanticId([(ushort)random.Next(Codes), (ushort)random.Next(Codes), (ushort)random.Next(Codes)])).ToArray();
        var pixels = new byte[256 * 3 * 32 * 32];
        random.NextBytes(pixels);
        return (new CreativeTrainingData(ids, [Codes, Codes, Codes], pixels, [.. Enumerable.Repeat(true, 256)], 32), ids);
    }

    private sealed class Instant(Action report) : IProgress<StageProgress>
    {
        public void Report(StageProgress value) => report();
    }
}
