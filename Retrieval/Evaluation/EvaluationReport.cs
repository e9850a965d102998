using System.Text.Json.Nodes;

namespace Recsys.Retrieval.Evaluation;

/// <summary>Metrics of one ranking by name: <c>recall@5</c>, <c>ndcg@5</c> and so on.</summary>
public sealed record MetricRow(IReadOnlyDictionary<string, Metric> Metrics)
{
    public double this[string name] => Metrics[name].Value;

    /// <param name="ranks">[users] place of each user's target from 0, -1 where it is not among the answers.</param>
    public static MetricRow Of(int[] ranks, IEnumerable<int> ks, long seed)
    {
        var metrics = new Dictionary<string, Metric>();
        foreach (int k in ks)
        {
            metrics[$"recall@{k}"] = Bootstrap.Interval(ranks.Select(rank => RankingMetrics.Recall(rank, k)).ToArray(), seed);
            metrics[$"ndcg@{k}"] = Bootstrap.Interval(ranks.Select(rank => RankingMetrics.Ndcg(rank, k)).ToArray(), seed);
        }

        return new MetricRow(metrics);
    }

    /// <summary>Values by name, and under <c>intervals</c> their 95 % intervals.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject();
        var intervals = new JsonObject();
        foreach (var (name, metric) in Metrics)
        {
            json[name] = metric.Value;
            intervals[name] = new JsonArray(metric.Low, metric.High);
        }

        json["intervals"] = intervals;
        return json;
    }
}

/// <summary>One ranking under both conventions.</summary>
/// <param name="NothingRemoved">The generative papers' convention: the whole catalogue is ranked.</param>
/// <param name="SeenRemoved">S3-Rec's convention (the source of the SASRec and BERT4Rec rows): items of the history are left out. Null: not
/// asked for.</param>
public sealed record ConventionRows(MetricRow NothingRemoved, MetricRow? SeenRemoved)
{
    public JsonObject ToJson() => new() { ["nothing_removed"] = NothingRemoved.ToJson(), ["seen_removed"] = SeenRemoved?.ToJson() };
}

/// <summary>What an evaluation found, with all that is needed to compare or repeat it.</summary>
public sealed record EvaluationReport
{
    /// <summary>The name of the legs' sum among the rows of a protocol.</summary>
    public const string SumName = "sum";

    public required EvaluationTarget Target { get; init; }

    public required int Users { get; init; }

    public required long Seed { get; init; }

    public required int Beam { get; init; }

    /// <summary>How the legs' scores become one, as the validation targets chose it.</summary>
    public required LegSum Sum { get; init; }

    /// <summary>Hash of the split; equal hashes, equal protocol.</summary>
    public required string SplitSha256 { get; init; }

    /// <summary>The answers with nothing removed; not part of the JSON.</summary>
    public required AnswerSet Plain { get; init; }

    /// <summary>The answers with the history's items removed; null: not asked for. Not part of the JSON.</summary>
    public AnswerSet? Removed { get; init; }

    /// <summary>The baselines with what their validation targets chose; not part of the JSON.</summary>
    public IReadOnlyList<IBaseline> Chosen { get; init; } = [];

    /// <summary>What a model that has learned from the validation targets too gave; null: there is none.</summary>
    public ProtocolResult? Open { get; init; }

    /// <summary>What the beam loses beside an exhaustive search; null: not asked for.</summary>
    public DecoderCheck? Decoder { get; init; }

    /// <summary>A hit is the item.</summary>
    public required ConventionRows ItemLevel { get; init; }

    /// <summary>A hit is any item with the target's codes: what some repositories report; never compare it with
    /// <see cref="ItemLevel"/>.</summary>
    public required ConventionRows CodeLevel { get; init; }

    /// <summary>Answers that are no item of the table, or whose semantic ID is not that item's.</summary>
    public required int Invalid { get; init; }

    /// <summary>Answers given before in the same list.</summary>
    public required int Duplicates { get; init; }

    /// <summary>Lists shorter than the largest cut-off although the catalogue has more.</summary>
    public required int Short { get; init; }

    /// <summary>Each leg alone, by name, on the same users.</summary>
    public required IReadOnlyDictionary<string, ConventionRows> Legs { get; init; }

    /// <summary>By name, on the same users.</summary>
    public required IReadOnlyDictionary<string, ConventionRows> Baselines { get; init; }

    /// <summary>Every protocol that was asked for.</summary>
    public IEnumerable<ProtocolResult> Protocols
    {
        get
        {
            yield return Rows(Protocol.Strict, rows => rows.NothingRemoved, Plain);
            if (Removed is not null)
            {
                yield return Rows(Protocol.StrictUnseen, rows => rows.SeenRemoved!, Removed);
            }

            if (Open is not null)
            {
                yield return Open;
            }
        }
    }

    /// <summary>
    /// One JSON object. On top stand the item-level values with nothing removed; <c>seen_removed</c>, <c>code_level</c> and
    /// <c>baselines</c> carry their own labels.
    /// </summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject
        {
            ["target"] = Target == EvaluationTarget.Test ? "test" : "validation",
            ["users"] = Users,
            ["level"] = "item",
            ["convention"] = "nothing_removed",
        };
        foreach (var (name, value) in ItemLevel.NothingRemoved.ToJson())
        {
            json[name] = value?.DeepClone();
        }

        json["seen_removed"] = ItemLevel.SeenRemoved?.ToJson();
        json["code_level"] = CodeLevel.ToJson();
        json["invalid"] = Invalid;
        json["duplicates"] = Duplicates;
        json["short"] = Short;
        json["beam"] = Beam;
        json["weights"] = Sum.ToJson();
        json["seed"] = Seed;
        json["split_sha256"] = SplitSha256;
        if (Decoder is not null)
        {
            json["decoder"] = Decoder.ToJson();
        }

        var baselines = new JsonObject();
        foreach (var (name, rows) in Baselines)
        {
            var row = rows.NothingRemoved.ToJson();
            row["seen_removed"] = rows.SeenRemoved?.ToJson();
            baselines[name] = row;
        }

        json["baselines"] = baselines;
        json["labels"] = new JsonObject(Protocols.Select(result => KeyValuePair.Create(
            result.Protocol.Name, (JsonNode?)result.Protocol.ToJson())));
        json["protocols"] = new JsonObject(Protocols.Select(result => KeyValuePair.Create(
            result.Protocol.Name, (JsonNode?)result.ToJson())));
        return json;
    }

    private ProtocolResult Rows(Protocol protocol, Func<ConventionRows, MetricRow> convention, AnswerSet answers) => new(
        protocol,
        Legs.Concat(Baselines).Prepend(new(SumName, ItemLevel)).ToDictionary(rows => rows.Key, rows => convention(rows.Value)), answers);
}
