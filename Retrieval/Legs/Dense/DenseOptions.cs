namespace Recsys.Retrieval.Legs.Dense;

/// <summary>Shape and training recipe of a leg that ranks items by their vectors.</summary>
public sealed record DenseOptions : LegOptions
{
    /// <summary>
    /// Whether an item of the history is a candidate for the next place in training, where it is not the target; null: where at least a
    /// hundredth of the training part repeats an item. Where nothing is repeated there is nothing to learn from such candidates, and the
    /// sum's own weight of repeated items says what follows.
    /// </summary>
    public bool? RankSeen { get; init; }

    public DenseOptions() => (Heads, Dropout, LearningRate, BatchItems, Epochs) = (2, 0.5, 1e-3, 3000, 30);
}
