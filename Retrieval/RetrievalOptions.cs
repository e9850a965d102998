using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Legs.Generative;
using Recsys.Retrieval.Legs.Transitions;

namespace Recsys.Retrieval;

/// <summary>The legs of the retrieval model, each null where it is left out, and how they are joined.</summary>
public sealed record RetrievalOptions
{
    /// <summary>All legs' names, in the order of their training.</summary>
    public static readonly IReadOnlyList<string> LegNames =
        [TransitionLeg.LegName, DenseLeg.Id, DenseLeg.Content, GenerativeLeg.LegName];

    /// <summary>Counts of what follows what.</summary>
    public TransitionOptions? Transitions { get; init; } = new();

    /// <summary>Learned item vectors, beside what is known of how items are used. What a frozen encoder says of them is left to
    /// <see cref="Content"/>.</summary>
    public DenseOptions? Id { get; init; } = new();

    /// <summary>Vectors projected from the items' embeddings, but from nothing that knows how they are used; left out too where there are
    /// none.</summary>
    public DenseOptions? Content { get; init; } = new() { Epochs = 40 };

    /// <summary>Semantic IDs, decoded.</summary>
    public GenerativeOptions? Generative { get; init; } = new();

    /// <summary>Weights of the legs' scores by name, a leg that is not named 0; null: chosen on validation targets.</summary>
    public IReadOnlyDictionary<string, double>? Weights { get; init; }

    /// <summary>
    /// Trains the legs a second time with the validation targets among what they learn from, all choices being those of the first time:
    /// what is served has learned from one interaction of each user more than what is measured and judged.
    /// </summary>
    public bool Open { get; init; } = true;

    /// <summary>Items up to which the ID and the content leg look at every item's vector for an answer; with more, at those of the nearest
    /// lists (<see cref="VectorLists"/>), and item vectors are rounded to bf16.</summary>
    public int ExactItems { get; init; } = 200_000;

    /// <summary>Beam of a query that names none; widened to its k.</summary>
    public int Beam { get; init; } = 50;

    /// <exception cref="CatalogException">Every value out of its range, by its key in the JSON.</exception>
    public void Validate() => Faults.ThrowIfAny("Retrieval options", Check);

    /// <summary>Notes every value that is out of its range.</summary>
    public void Check(Faults faults)
    {
        faults.Check(
            (Transitions, Id, Content, Generative) is not (null, null, null, null), "retrieval", "without a leg",
            $"at least one of {string.Join(", ", LegNames)}");
        Transitions?.Check(faults, "retrieval.transitions");
        Id?.Check(faults, "retrieval.id");
        Content?.Check(faults, "retrieval.content");
        Generative?.Check(faults, "retrieval.generative");
        foreach (var (leg, weight) in Weights ?? new Dictionary<string, double>())
        {
            faults.Check(LegNames.Contains(leg), "retrieval.weights", leg, string.Join(", ", LegNames));
            faults.Range($"retrieval.weights.{leg}", weight, 0, 1000);
        }

        faults.Check(
            Weights is null || Weights.Values.Any(weight => weight > 0), "retrieval.weights", "0 for all", "at least one above 0");
        if (Generative is { Network: GenerativeNetwork.DecoderOnly, Distillation: > 0 } distilled && Id is { } teacher)
        {
            faults.Check(
                teacher.History >= distilled.History, "retrieval.id.history", teacher.History,
                $"generative.history ({distilled.History}) and more, where generative.distillation is above 0");
        }

        faults.Range("retrieval.exact_items", ExactItems, 1, int.MaxValue);
        faults.Range("retrieval.beam", Beam, 1, RecommendQuery.MaxK);
    }
}
