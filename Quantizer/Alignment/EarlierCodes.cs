using System.Text.Json.Serialization;
using Recsys.Catalog;
using Recsys.Quantizer.Audit;
using Recsys.Quantizer.Encoding;

namespace Recsys.Quantizer.Alignment;

/// <summary>Where a version's codebook came from, and what moved.</summary>
/// <param name="Trained">Whether it was trained from nothing; false: it is that of the version before, moved or as it was.</param>
/// <param name="TrainedError">The reconstruction error of the nearest codes when it was last trained from nothing, as of
/// <see cref="QuantizerReport"/>.</param>
/// <param name="Error">The same now.</param>
/// <param name="Note">Why it was trained; null where it was not, and in a first version.</param>
/// <param name="Churn">Against the version that was followed; null: none was.</param>
public sealed record CodebookOrigin(bool Trained, double TrainedError, double Error, string? Note = null, ChurnAudit? Churn = null)
{
    /// <summary>For people: one line.</summary>
    [JsonIgnore]
    public string Summary => Churn is null
        ? $"codebook trained{(Note is null ? "" : $" ({Note})")}"
        : FormattableString.Invariant(
            $"{(Trained ? $"codebook trained anew ({Note})" : "codebook kept")}; of {Churn.Kept} items of {Churn.Before} ")
            + FormattableString.Invariant($"{Churn.Renamed * 100:F1} % have another ID, {Churn.Moved * 100:F1} % other codes");
}

/// <summary>A catalogue's codes.</summary>
/// <param name="Codebook">The caller's to dispose.</param>
/// <param name="Ids">[items]</param>
public sealed record CatalogueCodes(Codebook Codebook, SemanticId[] Ids, QuantizerReport Report, CodebookOrigin Origin);

/// <summary>
/// The codes of the version before, for a new one that keeps to them. The embeddings are standardised as they were, and turned into
/// their basis. An item keeps its ID where the nearest codes are hardly better. The codebook's vectors follow their items; where they
/// describe them much worse than when they were trained, a new codebook is trained and numbered after the old one, level by level.
/// </summary>
/// <param name="folder">Of its codebook.</param>
/// <param name="items">With those that were appended since.</param>
/// <param name="origin">Of its codebook.</param>
/// <param name="device">Where it encodes: cpu, cuda or cuda:N.</param>
public sealed class EarlierCodes(string version, string folder, ItemTable items, CodebookOrigin origin, string device = "cpu")
{
    private const int Rounds = 5; // of codes and vectors in turns: later ones hardly change anything

    /// <summary>The version whose codes they are.</summary>
    public string Version => version;

    /// <summary>Why the codes cannot be followed; null: they can.</summary>
    /// <param name="embeddings">The new version's.</param>
    public string? Misfit(IReadOnlyList<EmbeddingMatrix> embeddings, QuantizerOptions options)
    {
        using var codebook = Open();
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
        using var codebook = Open();
        var ids = Earlier(itemIds);
        int[] known = [.. Enumerable.Range(0, ids.Length).Where(item => ids[item] is not null)];
        var reconstruction = codebook.Reconstruct(known.SelectMany(item => ids[item]!.Value.Codes()).ToArray(), known.Length);
        return FusionAlignment.Of(codebook.Fusion, embeddings, known, reconstruction);
    }

    /// <param name="fused">By <see cref="Fuse"/>.</param>
    /// <param name="itemIds">[items]</param>
    /// <param name="train">Trains a codebook on <paramref name="fused"/>.</param>
    /// <param name="ranks">The processes that take the same steps; null: this one alone.</param>
    public CatalogueCodes Follow(
        FusedEmbeddings fused, IReadOnlyList<string> itemIds, StabilityOptions options, Func<Codebook> train, Ranks? ranks = null)
    {
        var before = Open();
        var codebook = new Codebook(fused.Fusion, before.Model, before.Beam);
        var codes = new Assignment(codebook, fused, Earlier(itemIds), options.Keep);
        // Of the same data the error is the same, and nothing moves.
        for (int round = 0; round < Rounds && codes.Error > origin.Error; round++)
        {
            codebook = CodebookVectors.Follow(codebook, fused, codes, ranks ?? Ranks.Alone);
            codes = new Assignment(codebook, fused, Earlier(itemIds), options.Keep);
        }

        double bound = origin.TrainedError * (1 + options.MaxErrorGrowth);
        if (codes.Error <= bound || !codebook.Kind.IsTrained())
        {
            return Result(codebook, codes, origin with { Trained = false, Error = codes.Error, Note = null });
        }

        codebook.Dispose();
        string note = $"that of {version} has an error of {codes.Error:F4} now, above {bound:F4}";
        codebook = train();
        codebook = CodebookVectors.Renumber(codebook, codebook.Encode(fused.Data, fused.Count), Earlier(itemIds));
        codes = new Assignment(codebook, fused, Earlier(itemIds), options.Keep);
        return Result(codebook, codes, new CodebookOrigin(true, codes.Error, codes.Error, note));

        CatalogueCodes Result(Codebook codebook, Assignment codes, CodebookOrigin now)
        {
            var assigned = CollisionTokens.Assign(codes.Codes, fused.Count, codebook.Levels, codes.Kept);
            var table = new ItemTable(itemIds, assigned, [.. itemIds.Select(_ => "")], codebook.Sizes);
            var report = QuantizerReport.Of(fused.Data, codebook.Reconstruct(codes.Codes, fused.Count), assigned, codebook.Sizes);
            return new CatalogueCodes(codebook, assigned, report, now with { Churn = ChurnAudit.Of(table, version, items) });
        }
    }

    private Codebook Open() => Codebook.Load(folder, device);

    private SemanticId?[] Earlier(IReadOnlyList<string> itemIds) =>
        [.. itemIds.Select(id => items.TryIndex(id, out int item) ? items.SemanticIds[item] : (SemanticId?)null)];
}
