using Recsys.Catalog;
using Recsys.Faiss;
using Recsys.Quantizer;
using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Models;
using Recsys.Quantizer.Training;

namespace Recsys.Bench;

/// <summary>Semantic IDs beside FAISS and plain TorchSharp: vectors of 192 values, 3 levels of 256 codes.</summary>
internal static class QuantizerBench
{
    private const int Dim = 192, Levels = 3, Size = 256, Rows = 1_000_000, Sample = 100_000, Iterations = 25;
    private const string Faiss = "FAISS 1.7.3";

    /// <summary>Of the sample, what FAISS's k-means takes its means of: 256 points a centroid.</summary>
    private const int Trained = 256 * Size;

    /// <summary>Floating-point operations of scoring every vector against every code.</summary>
    private const double EncodeFlops = 2.0 * Rows * Dim * Levels * Size;

    public static IReadOnlyList<SuiteCase> Cases { get; } =
    [
        new(
            "encode 1M vectors, greedy", "encode-torch", () => Encode(1), PlainEncode, 1 / 1.5,
            Floor: () => EncodeFlops / Machinery.ProductRate(ScalarType.BFloat16)),
        new("encode 1M vectors, greedy", "encode-faiss", () => Encode(1), () => FaissEncode(1), 1 / 3.0, PeerName: $"{Faiss}, beam 1"),
        new("encode 1M vectors, beam 5", "beam-faiss", () => Encode(5), () => FaissEncode(5), 1 / 3.0, PeerName: $"{Faiss}, beam 5"),
        new(
            "k-means of one level, 100,000 vectors, 25 iterations", "kmeans", OurKMeans, FaissKMeans, .8,
            Floor: () => 2.0 * Trained * Dim * Size * Iterations / Machinery.ProductRate(ScalarType.BFloat16), PeerName: Faiss),
        new("RQ-VAE training step, batch 2,048", "rqvae", OurRqVae, PlainRqVae.Steps, .7),
        new("collision tokens of 10M items", "collisions", () => SuiteCase.Timed(Collisions()), null, null, Limit: 60_000),
        new(
            "collision tokens of 10M items, peak memory", "collisions-memory", () => SuiteCase.Peak(Collisions()), null, null,
            Limit: 2048, Unit: "MB"),
    ];

    private static float[] Vectors(int rows, int seed)
    {
        // Clusters within clusters, as embeddings have them: nothing to quantise is in plain noise.
        var random = new Random(seed);
        float[] Normal(int n) => [.. Enumerable.Range(0, n).Select(_ => (float)(random.NextDouble() + random.NextDouble() - 1))];
        var (coarse, fine) = (Normal(64 * Dim), Normal(512 * Dim));
        var vectors = new float[(long)rows * Dim];
        for (int row = 0; row < rows; row++)
        {
            int a = random.Next(64) * Dim, b = random.Next(512) * Dim;
            for (int at = 0; at < Dim; at++)
            {
                vectors[(row * Dim) + at] = coarse[a + at] + (0.5f * fine[b + at]) + (0.25f * (random.NextSingle() - 0.5f));
            }
        }

        return vectors;
    }

    /// <summary>Three levels of codes, the same on all sides.</summary>
    private static float[] Codes()
    {
        float[] sample = Vectors(20_000, 1);
        using var quantizer = ResidualQuantizer.Train(sample, Dim, [8, 8, 8], new ResidualQuantizerOptions { MaxBeam = 1 });
        return quantizer.Codebooks();
    }

    private static ResidualCodebooks Books()
    {
        using var _ = no_grad();
        float[] codes = Codes();
        var books = new ResidualCodebooks([Size, Size, Size], Dim);
        for (int level = 0; level < Levels; level++)
        {
            books.Codes[level].copy_(tensor(codes[(level * Size * Dim)..((level + 1) * Size * Dim)], [Size, Dim]));
        }

        return books;
    }

    private static Func<double> Encode(int beam)
    {
        float[] vectors = Vectors(Rows, 2);
        var some = new EmbeddingMatrix("all", Dim, Vectors(1000, 1), [.. Enumerable.Repeat(true, 1000)]);
        var fusion = Fusion.Fit([some], new FusionOptions());
        var codebook = new Codebook(fusion, Books(), beam);
        return SuiteCase.Timed(() => codebook.Encode(vectors, Rows));
    }

    /// <summary>What a user of TorchSharp writes, at the batch size that is fastest here.</summary>
    private static Func<double> PlainEncode()
    {
        float[] vectors = Vectors(Rows, 2);
        var x = tensor(vectors, [Rows, Dim]).clone();
        var codes = Codes().Chunk(Size * Dim).Select(level => tensor(level, [Size, Dim]).clone()).ToArray();
        double Run(int batch, int rows) => SuiteCase.Timed(() =>
        {
            using var _ = no_grad();
            var result = new long[(long)rows * Levels];
            for (int from = 0; from < rows; from += batch)
            {
                using var scope = NewDisposeScope();
                var rest = x.narrow(0, from, Math.Min(batch, rows - from));
                var chosen = new Tensor[Levels];
                for (int level = 0; level < Levels; level++)
                {
                    var distances = codes[level].square().sum(1) - (2 * matmul(rest, codes[level].t()));
                    chosen[level] = distances.argmin(1);
                    rest = rest - codes[level].index_select(0, chosen[level]);
                }

                stack(chosen, 1).data<long>().ToArray().CopyTo(result, (long)from * Levels);
            }
        })();
        int[] batches = [256, 1024, 4096, 16_384, 65_536, 262_144];
        batches.ToList().ForEach(batch => Run(batch, 262_144)); // warm
        int best = batches.MinBy(batch => Run(batch, 262_144));
        return () => Run(best, Rows);
    }

    private static Func<double> FaissEncode(int beam)
    {
        float[] vectors = Vectors(Rows, 2);
        var quantizer = ResidualQuantizer.FromCodebooks(Codes(), Dim, [8, 8, 8]);
        return SuiteCase.Timed(() => quantizer.Encode(vectors, beam));
    }

    /// <exception cref="InvalidOperationException">The codes' squared error is above that of FAISS's centroids.</exception>
    private static Func<double> OurKMeans()
    {
        float[] vectors = Vectors(Sample, 3);
        var options = new QuantizerOptions
        {
            Levels = 1, CodebookSize = Size, KMeansIterations = Iterations, BalanceStrength = 0, BalanceRounds = 0, // Lloyd, as FAISS does
        };
        var matrix = new EmbeddingMatrix("all", Dim, vectors, [.. Enumerable.Repeat(true, Sample)]);
        var fused = new FusedEmbeddings(Fusion.Fit([matrix], new FusionOptions()), vectors, matrix.Present);
        Codebook Train() => QuantizerTrainer.Train(fused, options with { MinPerplexity = 0 }, 7, null, CancellationToken.None);
        using var codebook = Train();
        float[] found = codebook.Reconstruct(codebook.Encode(vectors, Sample), Sample);
        double inertia = vectors.Zip(found, (value, near) => Math.Pow(value - near, 2)).Sum(), theirs = TrainFaiss(vectors).Objective;
        return inertia <= theirs * 1.001
            ? SuiteCase.Timed(() => Train().Dispose())
            : throw new InvalidOperationException($"k-means: the squared error is {inertia:G6}, that of FAISS {theirs:G6}.");
    }

    private static Func<double> FaissKMeans()
    {
        float[] vectors = Vectors(Sample, 3);
        return SuiteCase.Timed(() => TrainFaiss(vectors));
    }

    /// <summary>As FAISS does by itself, from a random sample.</summary>
    private static KMeansResult TrainFaiss(float[] vectors) => KMeans.Train(
        vectors, Dim, Size, new KMeansOptions { Iterations = Iterations, Seed = 7, Seeding = KMeansSeeding.Random });

    /// <summary>Steps of the product's own training, from the second epoch on: milliseconds a step.</summary>
    private static Func<double> OurRqVae()
    {
        const int steps = 10, epochs = 4;
        float[] vectors = Vectors(PlainRqVae.Batch * steps, 4);
        var options = new QuantizerOptions
        {
            Kind = QuantizerKind.RqVae,
            MinPerplexity = 0,
            RqVae = new RqVaeOptions { Epochs = epochs, WarmUpEpochs = 1, BatchSize = PlainRqVae.Batch },
        };
        var matrix = new EmbeddingMatrix("all", Dim, vectors, [.. Enumerable.Repeat(true, PlainRqVae.Batch * steps)]);
        var fused = new FusedEmbeddings(Fusion.Fit([matrix], new FusionOptions()), vectors, matrix.Present);
        return () =>
        {
            var times = new List<long>();
            QuantizerTrainer.Train(fused, options, 7, new Instants(times), CancellationToken.None).Dispose();
            // The first epoch has no codes yet, and what follows it starts them.
            return System.Diagnostics.Stopwatch.GetElapsedTime(times[1], times[epochs - 1]).TotalMilliseconds / (steps * (epochs - 2));
        };
    }

    private static Action Collisions()
    {
        const int items = 10_000_000;
        var random = new Random(5);
        var codes = new ushort[items * Levels];
        for (int i = 0; i < codes.Length; i++)
        {
            codes[i] = (ushort)random.Next(Size);
        }

        return () => CollisionTokens.Assign(codes, items, Levels);
    }
}

/// <summary>Notes when something is reported.</summary>
internal sealed class Instants(List<long> times) : IProgress<StageProgress>
{
    public void Report(StageProgress value)
    {
        if (value.Metrics is not null)
        {
            times.Add(System.Diagnostics.Stopwatch.GetTimestamp());
        }
    }
}
