using Recsys.Catalog;
using Recsys.Quantizer.Audit;
using Recsys.Quantizer.Encoding;

namespace Recsys.Quantizer.Alignment;

/// <summary>Where a version's codebook came from, and what moved.</summary>
/// <param name="Trained">Whether it was trained; false: it is that of the version before.</param>
/// <param name="TrainedError">The reconstruction error of the best codes when the codebook was last trained, as of
/// <see cref="QuantizerReport"/>.</param>
/// <param name="Note">Why it was trained; null: it was not.</param>
/// <param name="Churn">Against the version before; null: there is none to follow.</param>
public sealed record CodebookOrigin(bool Trained, double TrainedError, string? Note, ChurnAudit? Churn = null);

/// <summary>A catalogue's codes.</summary>
/// <param name="Codebook">The caller's to dispose.</param>
/// <param name="Ids">[items]</param>
public sealed record CatalogueCodes(Codebook Codebook, SemanticId[] Ids, QuantizerReport Report, CodebookOrigin Origin);

/// <summary>
/// The codes of the version before, for a new one that keeps to them: the embeddings are standardised as they were, and turned into
/// their basis; the codebook stays while it describes the items as well as when it was trained, else a new one is numbered after it
/// level by level; an item keeps its ID where the best codes are hardly better.
/// </summary>
/// <param name="codebook">Becomes this object's; a codebook that is kept shares its model.</param>
/// <param name="items">With those that were appended since.</param>
/// <param name="trainedError">As of <see cref="CodebookOrigin"/>.</param>
public sealed class EarlierCodes(string version, Codebook codebook, ItemTable items, double trainedError) : IDisposable
{
    /// <summary>Why the codes cannot be followed; null: they can.</summary>
    /// <param name="embeddings">The new version's.</param>
    public string? Misfit(IReadOnlyList<EmbeddingMatrix> embeddings, QuantizerOptions options)
    {
        int present = Enumerable.Range(0, embeddings[0].Count).Count(item => embeddings.Any(embedding => embedding.Present[item]));
        var parts = embeddings.OrderBy(embedding => embedding.Name, StringComparer.Ordinal).Select(embedding => (
            embedding.Name, embedding.Dim, options.Fusion.WeightOf(embedding.Name), options.Fusion.KeepLength.Contains(embedding.Name)));
        return codebook.Kind != options.Kind ? $"{version} is of the kind {codebook.Kind.Name()}"
            : !codebook.Sizes.SequenceEqual(options.LevelSizes(present)) ? $"{version} has {string.Join(" × ", codebook.Sizes)} codes"
            : codebook.Beam != options.Beam ? $"{version} has a beam of {codebook.Beam}"
            : !codebook.Fusion.Parts.Select(part => (part.Name, part.Dim, part.Weight, part.KeepLength)).SequenceEqual(parts)
                ? $"{version} is of other embeddings, or weighs them otherwise"
            : null;
    }

    /// <summary>The fusion of the version before, for vectors that may have been fitted anew.</summary>
    /// <param name="itemIds">[items]</param>
    public Fusion Fuse(IReadOnlyList<EmbeddingMatrix> embeddings, IReadOnlyList<string> itemIds)
    {
        var ids = Earlier(itemIds);
        int[] known = [.. Enumerable.Range(0, ids.Length).Where(item => ids[item] is not null)];
        var reconstruction = codebook.Reconstruct(known.SelectMany(item => ids[item]!.Value.Codes()).ToArray(), known.Length);
        return FusionAlignment.Of(codebook.Fusion, embeddings, known, reconstruction);
    }

    /// <param name="fused">By <see cref="Fuse"/>.</param>
    /// <param name="itemIds">[items]</param>
    /// <param name="train">Trains a codebook on <paramref name="fused"/>.</param>
    public CatalogueCodes Follow(
        FusedEmbeddings fused, IReadOnlyList<string> itemIds, StabilityOptions options, Func<Codebook> train)
    {
        var ids = Earlier(itemIds);
        var kept = new Codebook(fused.Fusion, codebook.Model, codebook.Beam);
        ushort[] best = kept.Encode(fused.Data, fused.Count);
        double error = Error(kept, fused, best), bound = trainedError * (1 + options.MaxErrorGrowth);
        if (error <= bound || !kept.Kind.IsTrained())
        {
            return Assigned(kept, fused, best, itemIds, ids, options.Keep, new CodebookOrigin(false, trainedError, null));
        }

        var trained = train();
        LevelMatching.Renumber(trained.Model, trained.Encode(fused.Data, fused.Count), ids);
        best = trained.Encode(fused.Data, fused.Count);
        string note = $"the codebook of {version} has an error of {error:F4} now, above {bound:F4}";
        return Assigned(
            trained, fused, best, itemIds, ids, options.Keep, new CodebookOrigin(true, Error(trained, fused, best), note));
    }

    public void Dispose() => codebook.Dispose();

    private SemanticId?[] Earlier(IReadOnlyList<string> itemIds) =>
        [.. itemIds.Select(id => items.TryIndex(id, out int item) ? items.SemanticIds[item] : (SemanticId?)null)];

    private CatalogueCodes Assigned(
        Codebook book, FusedEmbeddings fused, ushort[] best, IReadOnlyList<string> itemIds, SemanticId?[] ids, double keep,
        CodebookOrigin origin)
    {
        int levels = book.Levels;
        ushort[] codes = [.. best];
        for (int item = 0; item < ids.Length; item++)
        {
            ids[item]?.CopyCodes(codes.AsSpan(item * levels, levels));
        }

        double[] ofBest = Errors(fused, book.Reconstruct(best, fused.Count));
        double[] ofKept = Errors(fused, book.Reconstruct(codes, fused.Count));
        double slack = keep * ofBest.Average();
        for (int item = 0; item < ids.Length; item++)
        {
            if (ids[item] is not null && ofKept[item] > ofBest[item] + slack)
            {
                ids[item] = null;
                best.AsSpan(item * levels, levels).CopyTo(codes.AsSpan(item * levels));
            }
        }

        var assigned = CollisionTokens.Assign(codes, fused.Count, levels, ids);
        var table = new ItemTable(itemIds, assigned, [.. itemIds.Select(_ => "")], book.Sizes);
        return new CatalogueCodes(
            book, assigned, QuantizerReport.Of(fused.Data, book.Reconstruct(codes, fused.Count), assigned, book.Sizes),
            origin with { Churn = ChurnAudit.Of(table, version, items) });
    }

    private static double Error(Codebook book, FusedEmbeddings fused, ushort[] codes) =>
        QuantizerReport.RelativeError(fused.Data, book.Reconstruct(codes, fused.Count), fused.Count);

    /// <returns>[items] squared distances.</returns>
    private static double[] Errors(FusedEmbeddings fused, float[] reconstruction) =>
        [.. Enumerable.Range(0, fused.Count).Select(item =>
        {
            double sum = 0;
            for (int i = item * fused.Dim; i < (item + 1) * fused.Dim; i++)
            {
                double left = fused.Data[i] - reconstruction[i];
                sum += left * left;
            }

            return sum;
        })];
}
