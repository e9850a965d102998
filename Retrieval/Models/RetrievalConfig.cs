using System.Text.Json;
using System.Text.Json.Serialization;

namespace Recsys.Retrieval.Models;

/// <summary>Everything but the weights that a saved retrieval model needs; the file <c>config.json</c>.</summary>
/// <param name="Format">Raised when the meaning of the files changes.</param>
/// <param name="Options">Shape and recipe.</param>
/// <param name="CodebookSizes">[levels]</param>
/// <param name="CollisionTokens">Collision tokens that the model knows.</param>
/// <param name="TrainedItems">Items with a vector of their own; those appended later are known by their codes alone.</param>
/// <param name="Alpha">Share of the generative model in the ranking; 1 without a dense head.</param>
/// <param name="Seed">The training's seed.</param>
public sealed record RetrievalConfig(
    int Format, RetrievalOptions Options, int[] CodebookSizes, int CollisionTokens, int TrainedItems, double Alpha, long Seed)
{
    public const int CurrentFormat = 1;

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        NumberHandling = JsonNumberHandling.Strict,
    };

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <exception cref="CatalogException">Not the configuration of a retrieval model, or of a later format.</exception>
    public static RetrievalConfig Parse(string json, string file)
    {
        RetrievalConfig? config;
        try
        {
            config = JsonSerializer.Deserialize<RetrievalConfig>(json, Json);
        }
        catch (JsonException exception)
        {
            throw CatalogException.Damaged($"'{file}' is no retrieval configuration: {exception.Message} Rebuild the version.", exception);
        }

        if (config is null || config.Format != CurrentFormat || config.Options is null
            || config.CodebookSizes is not { Length: > 0 and <= SemanticId.MaxLevels }
            || config.CodebookSizes.Any(size => size is < 1 or > 65536) || config.CollisionTokens is < 1 or > 65536
            || config.TrainedItems < 0
            || config.Alpha is not (>= 0.05 and <= 1))
        {
            throw CatalogException.Damaged(
                $"'{file}': format {config?.Format} (this build reads {CurrentFormat}), or a value out of its range. Rebuild the version.");
        }

        try
        {
            config.Options.Validate();
        }
        catch (CatalogException exception)
        {
            throw CatalogException.Damaged($"'{file}': {exception.Message}", exception);
        }

        return config;
    }
}
