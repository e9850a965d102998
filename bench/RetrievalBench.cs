using Recsys.Catalog;
using Recsys.Retrieval;
using Recsys.Retrieval.Training;

namespace Recsys.Bench;

/// <summary>Training of the legs beside plain TorchSharp, in Beauty's shape.</summary>
internal static class RetrievalBench
{
    private const int Targets = 3000, Items = 12_101, Dim = 128;

    public static IReadOnlyList<SuiteCase> Cases { get; } =
    [
        new(
            "generative leg, training step of 11,000 tokens", "generative", GenerativeSteps,
            () => SuiteCase.Timed(TorchCases.PlainGenerative(ScalarType.BFloat16)), 1 / 3.0,
            Floor: () => GenerativeShape.Flops / Machinery.ProductRate(ScalarType.BFloat16), PeerName: "plain TorchSharp, bf16"),
        new(
            "generative leg, training step of 11,000 tokens", "generative-fp32", GenerativeSteps,
            () => SuiteCase.Timed(TorchCases.PlainGenerative(ScalarType.Float32)), 1 / 3.0, PeerName: SuiteCase.PlainFloat),
        new(
            "full softmax of the ID leg, 3,000 targets of 12,101 items", "softmax", () => Softmax(plain: null),
            () => Softmax(ScalarType.Float32), .5,
            Floor: () => 6.0 * Targets * Items * Dim / Machinery.ProductRate(ScalarType.BFloat16), Calls: 5,
            PeerName: SuiteCase.PlainFloat),
        new(
            "full softmax of the ID leg, 3,000 targets of 12,101 items", "softmax-bf16", () => Softmax(plain: null),
            () => Softmax(ScalarType.BFloat16), .5, Calls: 5, PeerName: "plain TorchSharp, bf16 products"),
    ];

    /// <summary>The product's own training, batches and optimiser and all: milliseconds a step of 2,751 items of 4 tokens.</summary>
    private static Func<double> GenerativeSteps()
    {
        const int every = 20, steps = 60; // it reports every 20 steps
        var random = new Random(7);
        var seen = new Dictionary<string, ushort>();
        var ids = Enumerable.Range(0, Items).Select(_ =>
        {
            ushort[] codes = [(ushort)random.Next(256), (ushort)random.Next(256), (ushort)random.Next(256)];
            string key = string.Join('-', codes);
            ushort collision = seen.GetValueOrDefault(key);
            seen[key] = (ushort)(collision + 1);
            return new SemanticId(codes, collision);
        }).ToArray();
        var table = new ItemTable(
            [.. Enumerable.Range(0, Items).Select(item => $"{item}")], ids, [.. Enumerable.Range(0, Items).Select(_ => "")],
            [256, 256, 256]);
        const int users = 2000, length = GenerativeShape.Length;
        var training = new SequenceSet(
            [.. Enumerable.Range(0, users).Select(user => $"{user}")], [.. Enumerable.Range(0, users + 1).Select(user => user * length)],
            [.. Enumerable.Range(0, users * length).Select(_ => random.Next(Items))]);
        var options = new RetrievalOptions
        {
            Transitions = null, Id = null, Content = null, Open = false,
            Generative = new() { DenseInputs = false, BatchItems = GenerativeShape.Items, MinSteps = steps, MaxSteps = steps },
        };
        return () =>
        {
            var times = new List<long>();
            RetrievalTrainer.Train(
                new RetrievalTrainingData { Items = table, Training = training }, options, 7,
                new AtStep(steps - every, steps, times)).Dispose();
            return System.Diagnostics.Stopwatch.GetElapsedTime(times[0], times[1]).TotalMilliseconds / every;
        };
    }

    /// <param name="plain">What the peer's products compute in; null: ours.</param>
    private static Func<double> Softmax(ScalarType? plain)
    {
        manual_seed(7);
        var (queries, vectors) = (
            (randn(Targets, Dim) * 0.1).requires_grad_(), (randn(Items, Dim) * 0.1).requires_grad_());
        var targets = randint(0, Items, [Targets], dtype: ScalarType.Int64);
        return SuiteCase.Timed(() =>
        {
            using var scope = NewDisposeScope();
            (queries.grad, vectors.grad) = (null, null);
            if (plain is { } type)
            {
                var logits = matmul(queries.to(type), vectors.to(type).t());
                functional.cross_entropy(logits.to(ScalarType.Float32), targets).backward();
                return;
            }

            using var precision = MixedPrecision.Scope(true);
            FullSoftmaxLoss.Of(queries, vectors, targets).Surrogate.backward();
        });
    }

    /// <summary>Notes when two steps are done.</summary>
    private sealed class AtStep(int first, int last, List<long> times) : IProgress<StageProgress>
    {
        public void Report(StageProgress value)
        {
            if (value.Metrics is not null && (value.Done == first || value.Done == last))
            {
                times.Add(System.Diagnostics.Stopwatch.GetTimestamp());
            }
        }
    }
}
