using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Quantizer.Models;

namespace Recsys.Quantizer.Encoding;

/// <summary>
/// A trained quantizer with the fusion that it was trained behind: everything needed to turn an item's named embeddings into codes.
/// Immutable; safe from any thread.
/// </summary>
public sealed class Codebook : IVersionPart
{
    /// <summary>The part's name in a version, and its folder.</summary>
    public const string PartName = "codebook";

    public Codebook(QuantizerKind kind, Fusion fusion, IQuantizerModel model)
    {
        if (fusion.Dim != model.InputDim)
        {
            throw CatalogException.Damaged(
                $"The codebook's model reads {model.InputDim} values, its fusion gives {fusion.Dim}. The version's codebook folder is a "
                + "mix of two; rebuild.");
        }

        (Kind, Fusion, Model) = (kind, fusion, model);
    }

    public QuantizerKind Kind { get; }

    public Fusion Fusion { get; }

    public IQuantizerModel Model { get; }

    /// <summary>[levels] codes at each level.</summary>
    public IReadOnlyList<int> Sizes => Model.Sizes;

    public int Levels => Model.Sizes.Count;

    /// <summary>The codes of n fused vectors, coarse to fine.</summary>
    /// <param name="x">[n × Fusion.Dim], row-major, finite.</param>
    /// <returns>[n × Levels]</returns>
    public ushort[] Encode(ReadOnlySpan<float> x, int n)
    {
        if (x.Length != (long)n * Fusion.Dim)
        {
            throw CatalogException.Invalid($"{x.Length} values are not {n} fused vectors of {Fusion.Dim}.");
        }

        return n == 0 ? [] : Model.Encode(x, n);
    }

    /// <summary>The fused vectors that codes stand for.</summary>
    /// <param name="codes">[n × Levels], each below its level's size.</param>
    /// <returns>[n × Fusion.Dim]</returns>
    public float[] Reconstruct(ReadOnlySpan<ushort> codes, int n)
    {
        if (codes.Length != (long)n * Levels)
        {
            throw CatalogException.Invalid($"{codes.Length} codes are not {n} items of {Levels} levels.");
        }

        for (int i = 0; i < codes.Length; i++)
        {
            if (codes[i] >= Sizes[i % Levels])
            {
                throw CatalogException.Invalid($"Code {codes[i]} at level {i % Levels}; the codebook has {Sizes[i % Levels]}.");
            }
        }

        return n == 0 ? [] : Model.Reconstruct(codes, n);
    }

    /// <summary>Codes, collision tokens and the report for a whole catalogue.</summary>
    public (SemanticId[] Ids, QuantizerReport Report) EncodeCatalogue(FusedEmbeddings fused)
    {
        var codes = Encode(fused.Data, fused.Count);
        var ids = CollisionTokens.Assign(codes, fused.Count, Levels);
        return (ids, QuantizerReport.Of(fused.Data, Reconstruct(codes, fused.Count), ids, Sizes));
    }

    /// <summary>Writes <c>config.json</c> and <c>codebook.safetensors</c> into a folder; equal codebooks give equal bytes.</summary>
    public void Save(string folder) => CodebookFiles.Save(this, folder);

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <param name="device">Where it encodes: cpu, cuda or cuda:N.</param>
    /// <exception cref="CatalogException">DataLoss: a file is missing, damaged, or does not fit the other.</exception>
    public static Codebook Load(string folder, string device = "cpu")
    {
        var place = Devices.Of(device);
        var codebook = CodebookFiles.Load(folder);
        codebook.Model.MoveTo(place);
        return codebook;
    }

    /// <summary>Itself: codes do not depend on the table.</summary>
    public IVersionPart WithItems(ItemTable items) => this;

    public void Dispose() => Model.Dispose();
}
