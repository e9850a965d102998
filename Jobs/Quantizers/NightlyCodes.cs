using Recsys.Catalog;
using Recsys.Quantizer;
using Recsys.Quantizer.Alignment;
using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Training;
using Recsys.Torch;

namespace Recsys.Jobs.Quantizers;

/// <summary>Fused embeddings and the codes of one night: from nothing, or after those of the version before.</summary>
public static class NightlyCodes
{
    /// <summary>The fusion of the version before where it can be followed, else one that is fitted to the embeddings.</summary>
    /// <param name="before">Null where there is nothing to follow.</param>
    public static FusedEmbeddings Fuse(
        EmbeddingMatrix[] embeddings, IReadOnlyList<string> itemIds, EarlierCodes? before, QuantizerOptions options) =>
        (before?.Fuse(embeddings, itemIds) ?? Fusion.Fit(embeddings, options.Fusion)).Apply(embeddings);

    /// <param name="fused">By <see cref="Fuse"/>.</param>
    /// <param name="note">Why nothing is followed, where <paramref name="before"/> is null.</param>
    public static CatalogueCodes Make(
        FusedEmbeddings fused, IReadOnlyList<string> itemIds, EarlierCodes? before, string? note, QuantizerOptions options, long seed,
        IProgress<StageProgress>? progress, CancellationToken cancel, string device = "cpu", Ranks? ranks = null)
    {
        Codebook Train() => QuantizerTrainer.Train(fused, options, seed, progress, cancel, device, ranks);
        if (before is not null)
        {
            progress?.Report(new StageProgress("quantizer", 0, 1, $"follows {before.Version}"));
            var codes = before.Follow(fused, itemIds, options.Stability, Train, ranks);
            progress?.Report(new StageProgress("quantizer", 1, 1, $"follows {before.Version}"));
            return codes;
        }

        var codebook = Train();
        var (ids, report) = codebook.EncodeCatalogue(fused);
        double error = report.ReconstructionError;
        return new CatalogueCodes(codebook, ids, report, new CodebookOrigin(true, error, error, note));
    }
}
