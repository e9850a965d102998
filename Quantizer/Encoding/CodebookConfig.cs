using System.Text.Json;
using System.Text.Json.Serialization;
using Recsys.Catalog;
using Recsys.Quantizer.Models;

namespace Recsys.Quantizer.Encoding;

/// <summary><c>config.json</c> of a codebook folder: all that is not a tensor.</summary>
/// <param name="Format">Layout of the folder; this program reads <see cref="CurrentFormat"/>.</param>
/// <param name="Sizes">[levels] codes at each level.</param>
/// <param name="Hidden">RQ-VAE: widths of the encoder's hidden layers.</param>
/// <param name="LatentDim">RQ-VAE: values of the quantised latent.</param>
internal sealed record CodebookConfig(
    int Format, QuantizerKind Kind, int[] Sizes, CodebookConfig.Part[] Fusion, int[]? Hidden, int? LatentDim)
{
    public const int CurrentFormat = 1;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>A <see cref="FusionPart"/> without its mean, which lies with the tensors.</summary>
    internal sealed record Part(string Name, int Dim, double Weight, bool KeepLength, float Scale, string? Space = null);

    public string ToJson() => JsonSerializer.Serialize(this, Json) + "\n";

    /// <exception cref="CatalogException">DataLoss: no JSON of this shape, or values that fit nothing.</exception>
    public static CodebookConfig Parse(byte[] json, string path)
    {
        CodebookConfig? config;
        try
        {
            config = JsonSerializer.Deserialize<CodebookConfig>(json, Json);
        }
        catch (JsonException fault)
        {
            throw CatalogException.Damaged($"'{path}' is damaged: {fault.Message}", fault);
        }

        string? wrong = config switch
        {
            null => "it is empty",
            { Format: not CurrentFormat } => $"format {config.Format}; this program reads {CurrentFormat}",
            { Sizes: null or { Length: < 1 or > SemanticId.MaxLevels } } => $"'sizes' needs 1 to {SemanticId.MaxLevels} levels",
            { Fusion: null or { Length: 0 } } => "'fusion' is missing",
            _ when config.Sizes.Any(size => size is < 1 or > 65_536) => "a level has no code or more than 65,536",
            _ when config.Fusion.Any(
                p =>
                    p is null or { Name: null or "" } or { Dim: < 1 or > 1_000_000 } || !double.IsFinite(p.Weight)
                        || !float.IsFinite(p.Scale)) => "a part of 'fusion' has no name, or numbers out of range",
            { Kind: QuantizerKind.RqVae } when config.LatentDim is null or < 1 or > 1_000_000 || config.Hidden is null
                || config.Hidden.Any(width => width is < 1 or > 1_000_000) => "'hidden' or 'latentDim' is missing or out of range",
            _ => null,
        };
        return wrong is null ? config! : throw CatalogException.Damaged($"'{path}' is damaged: {wrong}. Rebuild the version.");
    }
}
