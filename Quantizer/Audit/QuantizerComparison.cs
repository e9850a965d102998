using Recsys.Catalog;
using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Models;
using Recsys.Quantizer.Training;

namespace Recsys.Quantizer.Audit;

/// <summary>One way to make semantic IDs, by the name that it has in the table.</summary>
public sealed record QuantizerCandidate(string Name, QuantizerOptions Options)
{
    /// <summary>Every kind, and the variants of those that have some, at the sizes and settings of <paramref name="options"/>.</summary>
    public static IReadOnlyList<QuantizerCandidate> All(QuantizerOptions options)
    {
        var plain = options with { Beam = 1, Kind = QuantizerKind.ResidualKMeans };
        var balanced = plain with { BalanceStrength = options.BalanceStrength > 0 ? options.BalanceStrength : 1 };
        var rqVae = plain with { Kind = QuantizerKind.RqVae };
        return
        [
            new("residual-kmeans", plain with { BalanceStrength = 0 }),
            new("residual-kmeans, beam 10", plain with { BalanceStrength = 0, Beam = 10 }),
            new("residual-kmeans, balanced", balanced),
            new("rqvae", With(rqVae, CodebookUpdate.Ema, GradientEstimator.StraightThrough)),
            new("rqvae, gradient", With(rqVae, CodebookUpdate.Gradient, GradientEstimator.StraightThrough)),
            new("rqvae, rotation", With(rqVae, CodebookUpdate.Ema, GradientEstimator.RotationTrick)),
            new("rqvae, gumbel", With(rqVae, CodebookUpdate.Gradient, GradientEstimator.GumbelSoftmax)),
            new("vqvae", plain with { Kind = QuantizerKind.VqVae }),
            new("pq", plain with { Kind = QuantizerKind.Product }),
            new("opq", plain with { Kind = QuantizerKind.OptimisedProduct }),
            new("fsq", plain with { Kind = QuantizerKind.FiniteScalar }),
            new("lfq", plain with { Kind = QuantizerKind.LookupFree }),
            new("lsh", plain with { Kind = QuantizerKind.Hyperplanes }),
            new("random", plain with { Kind = QuantizerKind.Random }),
        ];
    }

    private static QuantizerOptions With(QuantizerOptions options, CodebookUpdate update, GradientEstimator estimator) =>
        options with { RqVae = options.RqVae with { CodebookUpdate = update, GradientEstimator = estimator } };
}

/// <summary>What one candidate reached; all but the time and the failure null where its training ended in one.</summary>
/// <param name="Sizes">Codes at each level.</param>
/// <param name="GreedyError">Error of the nearest codes, level by level, at the same codebook; null where there is no beam.</param>
/// <param name="NeighbourRecall">Share of an item's nearest that are among the nearest by reconstruction.</param>
/// <param name="Seconds">Training and encoding.</param>
/// <param name="RetrievalRecall">Validation recall@10 of a small generative model on its IDs; null where none was asked for.</param>
/// <param name="Failure">Why there are no codes: the codebook collapsed, or the settings do not fit the kind.</param>
public sealed record QuantizerRow(
    string Name, QuantizerKind Kind, int[]? Sizes, QuantizerReport? Report, double? GreedyError, double? NeighbourRecall, double Seconds,
    double? RetrievalRecall, string? Failure);

/// <summary>Trains ways to make semantic IDs on one catalogue and measures all of them alike.</summary>
public static class QuantizerComparison
{
    /// <summary>Neighbours that are looked for, and items that they are looked for of.</summary>
    public const int K = 10, Queries = 2000;

    private const string Stage = "compare";

    /// <param name="retrieval">Recall@10 of a retrieval model on some IDs and their codebook sizes; null: left out.</param>
    /// <param name="time">Measures the seconds.</param>
    /// <exception cref="CatalogException">No candidate. A candidate's own failure is in its row.</exception>
    public static IReadOnlyList<QuantizerRow> Run(
        FusedEmbeddings fused, IReadOnlyList<QuantizerCandidate> candidates, long seed, TimeProvider time,
        Func<SemanticId[], IReadOnlyList<int>, double>? retrieval = null, IProgress<StageProgress>? progress = null,
        string device = "cpu", CancellationToken cancel = default)
    {
        if (candidates.Count == 0)
        {
            throw CatalogException.Invalid("There is no way to make semantic IDs to compare.");
        }

        var neighbours = Neighbours.Of(fused.Data, fused.Dim, K, Queries, seed);
        var rows = new List<QuantizerRow>();
        foreach (var candidate in candidates)
        {
            progress?.Report(new StageProgress(Stage, rows.Count, candidates.Count, candidate.Name));
            rows.Add(Measure(fused, candidate, neighbours, seed, time, retrieval, device, cancel));
        }

        progress?.Report(new StageProgress(Stage, rows.Count, candidates.Count));
        return rows;
    }

    private static QuantizerRow Measure(
        FusedEmbeddings fused, QuantizerCandidate candidate, Neighbours neighbours, long seed, TimeProvider time,
        Func<SemanticId[], IReadOnlyList<int>, double>? retrieval, string device, CancellationToken cancel)
    {
        long started = time.GetTimestamp();
        var kind = candidate.Options.Kind;
        try
        {
            using var codebook = QuantizerTrainer.Train(fused, candidate.Options, seed, null, cancel, device);
            var codes = codebook.Encode(fused.Data, fused.Count);
            var ids = CollisionTokens.Assign(codes, fused.Count, codebook.Levels);
            double seconds = time.GetElapsedTime(started).TotalSeconds;
            var reconstruction = codebook.Reconstruct(codes, fused.Count);
            return new QuantizerRow(
                candidate.Name, kind, [.. codebook.Sizes], QuantizerReport.Of(fused.Data, reconstruction, ids, codebook.Sizes),
                GreedyError(codebook, fused), neighbours.Recall(reconstruction, fused.Dim, CodeGroups.From(ids)), seconds,
                retrieval?.Invoke(ids, codebook.Sizes), null);
        }
        catch (CatalogException failure) when (
            failure.Fault is Fault.FailedPrecondition or Fault.InvalidArgument or Fault.ResourceExhausted)
        {
            return new QuantizerRow(
                candidate.Name, kind, null, null, null, null, time.GetElapsedTime(started).TotalSeconds, null, failure.Message);
        }
    }

    // A second codebook over the same model, without the beam; it is not disposed, or the model would be.
    private static double? GreedyError(Codebook codebook, FusedEmbeddings fused) => codebook.Beam == 1
        ? null
        : new Codebook(codebook.Fusion, codebook.Model).EncodeCatalogue(fused).Report.ReconstructionError;
}
