using Recsys.Retrieval.Legs.Transitions;

namespace Recsys.Retrieval;

/// <summary>What a saved retrieval model says of itself, beside its legs.</summary>
/// <param name="Format">Raised when the meaning of the files changes.</param>
/// <param name="Legs">The legs, each in the folder of its name.</param>
/// <param name="Sum">How their scores become one.</param>
/// <param name="CodebookSizes">[levels] of the version's codebook.</param>
/// <param name="TrainedItems">Items that training knew.</param>
/// <param name="Beam">Beam of a query that names none; widened to its k.</param>
/// <param name="Seed">The training's seed.</param>
/// <param name="BestAt">By leg, the share of its steps after which it was best.</param>
public sealed record RetrievalConfig(
    int Format, string[] Legs, LegSum Sum, int[] CodebookSizes, int TrainedItems, int Beam, long Seed,
    IReadOnlyDictionary<string, double> BestAt)
{
    public const int CurrentFormat = 2;

    /// <summary>Notes every value that is out of its range.</summary>
    public void Check(Faults faults)
    {
        faults.Check(Format == CurrentFormat, "format", Format, $"{CurrentFormat}");
        faults.Check(
            Legs.Length > 0 && Legs.All(RetrievalOptions.LegNames.Contains) && Legs.Distinct().Count() == Legs.Length, "legs",
            string.Join(", ", Legs), $"one or more of {string.Join(", ", RetrievalOptions.LegNames)}");
        Sum.Check(faults, Legs);
        faults.Range("levels", CodebookSizes.Length, 1, SemanticId.MaxLevels);
        faults.Range("trained_items", TrainedItems, 0, int.MaxValue - 1);
        faults.Range("beam", Beam, 1, RecommendQuery.MaxK);
        faults.Check(
            BestAt.All(best => Legs.Contains(best.Key) && best.Value is >= 0 and <= 1), "best_at", string.Join(", ", BestAt),
            "0 to 1 by leg");
    }
}

/// <summary>What validation targets chose, for a training of the same options that has none.</summary>
/// <param name="Transitions">Null: there is no such leg.</param>
/// <param name="BestAt">By leg, the share of its steps after which it was best; null: all legs were best at their ends.</param>
public sealed record RetrievalChoices(
    LegSum Sum, TransitionReading? Transitions, IReadOnlyDictionary<string, double>? BestAt = null);

/// <summary>How the legs' scores become one: Σ weight · score, and for an item of the history the repeat weight besides.</summary>
/// <param name="Weights">By the leg's name, 0 and more.</param>
/// <param name="Repeat">Added to the score of an item of the history: below 0 where users seldom take an item again.</param>
/// <param name="Temperature">Probabilities are coverage · softmax(score / temperature) over an answer's candidates; above 0.</param>
/// <param name="Coverage">Share of the held-out targets that are among the candidates, 0 to 1.</param>
/// <param name="RepeatAlone">By leg, the weight of a repeated item where the leg answers alone, in the units of its score; null: 0 for
/// all.</param>
public sealed record LegSum(
    IReadOnlyDictionary<string, double> Weights, double Repeat, double Temperature, double Coverage,
    IReadOnlyDictionary<string, double>? RepeatAlone = null)
{
    /// <summary>The name that the repeat weight has among the parts of a score.</summary>
    public const string RepeatName = "repeat";

    /// <summary>Largest repeat weight, to either side of 0.</summary>
    public const double MaxRepeat = 1000;

    /// <summary>All legs alike: where there is no held-out target to choose by.</summary>
    public static LegSum Even(IEnumerable<string> legs) => new(legs.ToDictionary(leg => leg, _ => 1.0), 0, 1, 1);

    /// <summary>Notes every value that is out of its range.</summary>
    public void Check(Faults faults, IReadOnlyCollection<string> legs)
    {
        faults.Check(Weights.Keys.Order().SequenceEqual(legs.Order()), "weights", string.Join(", ", Weights.Keys), "one for each leg");
        foreach (var (leg, weight) in Weights)
        {
            faults.Range($"weights.{leg}", weight, 0, 1000);
        }

        faults.Range("repeat", Repeat, -MaxRepeat, MaxRepeat);
        foreach (var (leg, repeat) in RepeatAlone ?? new Dictionary<string, double>())
        {
            faults.Range($"repeat_alone.{leg}", repeat, -MaxRepeat, MaxRepeat);
        }

        faults.Range("temperature", Temperature, 1e-3, 1000);
        faults.Range("coverage", Coverage, 0, 1);
    }
}
