using System.Text.Json;
using System.Text.Json.Nodes;

namespace Recsys.Retrieval.Evaluation;

/// <summary>What the answers of the sum are like under one protocol, all of it from the lists that its metrics are of.</summary>
/// <param name="Cold">Share of users whose target never occurs in what the protocol's model learned from. It is ranked, not
/// missed.</param>
/// <param name="ColdShort">The users of these, ranked in LIGER's way (<see cref="ColdShortlist"/>); null: nothing is cold, or the legs
/// were not asked for.</param>
/// <param name="Lists">Of the answers.</param>
/// <param name="Taken">The same of the targets, each a list of one: what users really took.</param>
public sealed record ProtocolAnalysis(
    double Cold, IReadOnlyList<Slice> Popularity, IReadOnlyList<Slice> History, Slice? ColdShort, ListQuality Lists, ListQuality Taken,
    Calibration Calibration)
{
    public static ProtocolAnalysis Of(ProtocolResult result, LeaveOneOut split, ItemTable items, EvaluationOptions options)
    {
        var answers = result.Answers;
        int[] counts = (result.Protocol.ValidationItemTrained ? split.TrainAndValidation : split.Train).Interactions(items.Count);
        int[] targets = [.. answers.Users.Select(user => RetrievalEvaluator.Target(split, user, options.Target))];
        int[] lengths = [.. answers.Users.Select(user => RetrievalEvaluator.History(split, user, options.Target).Length)];
        return new ProtocolAnalysis(
            targets.Average(item => counts[item] == 0 ? 1.0 : 0), Slices.ByPopularity(counts, targets, answers.Item, options),
            Slices.ByHistory(lengths, answers.Item, options), Slices.ColdShort(counts, targets, answers, options),
            ListQuality.Of(answers.Lists, items, counts),
            ListQuality.Of(Array.ConvertAll(targets, item => new[] { item }), items, counts),
            Calibration.Of(answers.Probabilities, answers.Item));
    }

    public JsonObject ToJson()
    {
        static JsonNode Plain<T>(T value) => JsonSerializer.SerializeToNode(value, Json.Output)!;
        static JsonObject Row(Slice slice)
        {
            var json = slice.Users == 0 ? [] : slice.Row.ToJson();
            json["users"] = slice.Users;
            return json;
        }

        static JsonObject Sliced(IEnumerable<Slice> slices) =>
            new(slices.Select(slice => KeyValuePair.Create(slice.Name, (JsonNode?)Row(slice))));
        return new JsonObject
        {
            ["cold_targets"] = Cold, ["popularity"] = Sliced(Popularity), ["history"] = Sliced(History),
            [Slices.ColdShortName] = ColdShort is { Users: > 0 } ? Row(ColdShort) : null, ["lists"] = Plain(Lists),
            ["taken"] = Plain(Taken), ["calibration"] = Plain(Calibration),
        };
    }
}
