namespace Recsys.Retrieval.Legs.Dense;

/// <summary>Shape and training recipe of a leg that ranks items by their vectors.</summary>
public sealed record DenseOptions : LegOptions
{
    public DenseOptions() => (Layers, Heads, Dropout, LearningRate, BatchItems, Epochs) = (2, 2, 0.5, 1e-3, 3000, 30);
}
