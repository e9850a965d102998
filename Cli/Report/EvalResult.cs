using System.Text.Json;
using System.Text.Json.Nodes;
using Recsys.Catalog;
using Recsys.Retrieval.Evaluation;

namespace Recsys.Cli.Report;

/// <summary>All that <c>eval</c> found, for its JSON, its text and its page.</summary>
/// <param name="TrainingSeed">That of the rebuild.</param>
/// <param name="Analyses">By protocol.</param>
/// <param name="Against">The version that this one is compared with; null: none.</param>
internal sealed record EvalResult(
    string Dataset, string DatasetSha256, string Version, long TrainingSeed, EvaluationReport Report,
    IReadOnlyDictionary<Protocol, ProtocolAnalysis> Analyses, string? Against, IReadOnlyList<PairedComparison> Comparisons)
{
    public JsonObject ToJson()
    {
        var json = Report.ToJson();
        json["analysis"] = new JsonObject(Analyses.Select(analysis => KeyValuePair.Create(
            analysis.Key.Name, (JsonNode?)analysis.Value.ToJson())));
        if (Against is not null)
        {
            json["comparison"] = new JsonObject
            {
                ["against"] = Against, ["differences"] = JsonSerializer.SerializeToNode(Comparisons, Json.Output),
            };
        }

        json["version"] = Version;
        json["training_seed"] = TrainingSeed;
        json["dataset"] = Dataset;
        json["dataset_sha256"] = DatasetSha256;
        return json;
    }
}
