using System.Text.Json.Nodes;

namespace Recsys.Retrieval.Evaluation;

/// <summary>What was asked of a ranking; figures of different protocols do not compare. All rank the whole catalogue of items, ties by
/// item number, cold targets too.</summary>
/// <param name="Name">Stable lower-case name.</param>
/// <param name="ValidationItemTrained">The model and the counts have learned from the validation item.</param>
/// <param name="SeenRemoved">The history's items are left out of the ranking.</param>
public sealed record Protocol(string Name, bool ValidationItemTrained, bool SeenRemoved)
{
    /// <summary>TIGER and its line.</summary>
    public static readonly Protocol Strict = new("strict", false, false);

    /// <summary>S3-Rec's evaluation, SASRec.</summary>
    public static readonly Protocol StrictUnseen = new("strict_unseen", false, true);

    /// <summary>PCTM, EnsRec.</summary>
    public static readonly Protocol Open = new("open", true, true);

    /// <summary>The same in words.</summary>
    public string Label => $"{Name}: the validation item is {(ValidationItemTrained ? "" : "not ")}trained on, the history's items are "
        + (SeenRemoved ? "removed" : "ranked too");

    public JsonObject ToJson() => new()
    {
        ["validation_item"] = ValidationItemTrained ? "trained on" : "not trained on",
        ["history_items"] = SeenRemoved ? "removed" : "ranked",
        ["ties"] = "by item number",
        ["cold_targets"] = "ranked",
        ["level"] = "item",
    };
}

/// <summary>What was measured under one protocol.</summary>
/// <param name="Rows">The sum first, then each leg alone, then the baselines, by name.</param>
/// <param name="Answers">Of the sum.</param>
public sealed record ProtocolResult(Protocol Protocol, IReadOnlyDictionary<string, MetricRow> Rows, AnswerSet Answers)
{
    /// <summary>The rows by name; <c>interval</c> is that of recall@10.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject();
        foreach (var (name, row) in Rows)
        {
            var values = row.ToJson();
            values["interval"] = values["intervals"]!["recall@10"]?.DeepClone();
            json[name] = values;
        }

        return json;
    }
}
