using System.Text.Json.Nodes;

namespace Recsys.Retrieval;

/// <summary>
/// How the legs' scores become one: Σ weight · score, and besides what is known of the item itself (<see cref="Facts"/>), each with a
/// weight of its own.
/// </summary>
/// <param name="Weights">By the leg's name, 0 and more.</param>
/// <param name="Repeat">Added to the score of an item of the history: below 0 where users seldom take an item again.</param>
/// <param name="Temperature">Probabilities are coverage · softmax(score / temperature) over an answer's candidates; above 0.</param>
/// <param name="Coverage">Share of the held-out targets that are among the candidates, 0 to 1.</param>
/// <param name="RepeatAlone">By leg, the weight of a repeated item where the leg answers alone, in the units of its score; null: 0 for
/// all.</param>
/// <param name="Popularity">Weight of ln(1 + an item's interactions).</param>
/// <param name="Cold">Added to the score of an item that training never saw, 0 and more: nothing is ranked down for being new.</param>
/// <param name="Interplay">What is added to that; null: nothing.</param>
public sealed record LegSum(
    IReadOnlyDictionary<string, double> Weights, double Repeat, double Temperature, double Coverage,
    IReadOnlyDictionary<string, double>? RepeatAlone = null, double Popularity = 0, double Cold = 0,
    Interplay? Interplay = null)
{
    /// <summary>Largest weight of a fact, to either side of 0.</summary>
    public const double MaxFact = 1000;

    /// <summary>The names that the facts have among the parts of a score.</summary>
    public static readonly IReadOnlyList<string> FactNames = ["repeat", "popularity", "cold"];

    /// <summary>All legs alike: where there is no held-out target to choose by.</summary>
    public static LegSum Even(IEnumerable<string> legs) => new(legs.ToDictionary(leg => leg, _ => 1.0), 0, 1, 1);

    /// <summary>For people: what weighs how much.</summary>
    public string Summary => string.Join(", ", Weights.Select(leg => (leg.Key, leg.Value))
        .Concat(FactNames.Zip(FactWeights()).Where(fact => fact.Second != 0))
        .Select(part => FormattableString.Invariant($"{part.Item1} {part.Item2:0.###}")))
        + (Interplay is null ? "" : FormattableString.Invariant(
            $"; with {Retrieval.Interplay.PartName} of {Interplay.Out.Length} units: N@10 {Interplay.Alone:F4} to {Interplay.Joined:F4} ")
            + "on validation targets that its fit had not seen");

    /// <summary>What is known of an item itself, in the order of <see cref="FactNames"/>.</summary>
    /// <param name="seen">Whether the history has it.</param>
    /// <param name="interactions">That it has in the training part.</param>
    internal static double[] Facts(bool seen, int interactions) =>
        [seen ? 1 : 0, Math.Log(1 + interactions), interactions == 0 ? 1 : 0];

    /// <summary>Their weights.</summary>
    internal double[] FactWeights() => [Repeat, Popularity, Cold];

    /// <returns>Weights by part, and how much the interplay brought.</returns>
    public JsonObject ToJson()
    {
        var json = new JsonObject(Weights.Concat(FactNames.Zip(FactWeights(), KeyValuePair.Create))
            .Select(part => KeyValuePair.Create(part.Key, (JsonNode?)part.Value)));
        json[Retrieval.Interplay.PartName] = Interplay is null ? null : new JsonObject
        {
            ["units"] = Interplay.Out.Length, ["validation_ndcg@10_without"] = Interplay.Alone,
            ["validation_ndcg@10_with"] = Interplay.Joined,
        };
        return json;
    }

    /// <summary>Notes every value that is out of its range.</summary>
    public void Check(Faults faults, IReadOnlyCollection<string> legs)
    {
        faults.Check(Weights.Keys.Order().SequenceEqual(legs.Order()), "weights", string.Join(", ", Weights.Keys), "one for each leg");
        foreach (var (leg, weight) in Weights)
        {
            faults.Range($"weights.{leg}", weight, 0, 1000);
        }

        faults.Range("repeat", Repeat, -MaxFact, MaxFact);
        faults.Range("popularity", Popularity, -MaxFact, MaxFact);
        faults.Range("cold", Cold, 0, MaxFact);
        foreach (var (leg, repeat) in RepeatAlone ?? new Dictionary<string, double>())
        {
            faults.Range($"repeat_alone.{leg}", repeat, -MaxFact, MaxFact);
        }

        Interplay?.Check(faults, legs.Count);
        faults.Range("temperature", Temperature, 1e-3, 1000);
        faults.Range("coverage", Coverage, 0, 1);
    }
}
