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
    public const int CurrentFormat = 3;

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
