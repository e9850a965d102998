using System.Text.Json;
using System.Text.Json.Nodes;
using Recsys.Catalog;
using Recsys.Datasets;
using Recsys.Embeddings;
using Recsys.Quantizer.Alignment;
using Recsys.Quantizer.Encoding;

namespace Recsys.Jobs.NightlyRebuild;

/// <summary>What a rebuild did and measured; <c>report.json</c> of its version.</summary>
public sealed record RebuildReport
{
    public const string FileName = "report.json";

    public required string Version { get; init; }

    public required string Dataset { get; init; }

    /// <summary>SHA-256 of the dataset's content.</summary>
    public required string DatasetSha256 { get; init; }

    /// <summary>SHA-256 of the leave-one-out split; null without interactions.</summary>
    public string? SplitSha256 { get; init; }

    public required long Seed { get; init; }

    /// <summary>Whether the models also learned from the held-out interactions; then no evaluation of this version on them is
    /// honest.</summary>
    public bool FitAll { get; init; }

    public required string Machine { get; init; }

    public IReadOnlyList<StageTime> Stages { get; init; } = [];

    public IReadOnlyDictionary<string, List<CurvePoint>> Curves { get; init; } = new Dictionary<string, List<CurvePoint>>();

    /// <summary>What the items are known by, and the pictures that cannot be read.</summary>
    public IReadOnlyList<EmbeddingSummary> Embeddings { get; init; } = [];

    public QuantizerReport? Quantizer { get; init; }

    /// <summary>Whether the codebook follows the active version's, and which IDs moved.</summary>
    public CodebookOrigin? Codebook { get; init; }

    /// <summary>Validation targets, a sample of users; never test targets.</summary>
    public JsonObject? Validation { get; init; }

    public IReadOnlyList<GateResult> Gates { get; init; } = [];

    public string ToJson() => JsonSerializer.Serialize(this, Json.Report);

    public static RebuildReport FromJson(string json) => JsonSerializer.Deserialize<RebuildReport>(json, Json.Report)!;
}
