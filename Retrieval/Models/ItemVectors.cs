namespace Recsys.Retrieval.Models;

/// <summary>
/// The dense vector of each item: a learned embedding, its projected features, or their sum. The decoder's dense input, and what the
/// dense legs rank by. Trained only; a saved model holds the finished table (<see cref="Table"/>).
/// </summary>
public sealed class ItemVectors : Module
{
    private const string FeaturesKey = "features"; // [items + 1, features]; the last row, of no item, is zero

    private readonly Embedding? learned;
    private readonly Linear? projection;

    /// <param name="features">[items + 1, features], zero where an item has none; null: learned embeddings alone. Becomes this
    /// module's.</param>
    /// <param name="learns">Whether an item has a learned embedding; without features it must.</param>
    /// <param name="deviation">Of the values that projected features begin with, whatever their number. Vectors that items are ranked by
    /// begin small: scores that are large at first would have to be unlearned. What a transformer reads may begin large: it is
    /// normalised.</param>
    public ItemVectors(int items, int dim, Tensor? features, bool learns, double deviation, Generator generator)
        : base(nameof(ItemVectors))
    {
        None = items;
        learned = learns ? Embedding(items + 1, dim, padding_idx: items) : null;
        projection = features is null ? null : Linear(features.size(1), dim, hasBias: false);
        if (features is not null)
        {
            register_buffer(FeaturesKey, features, persistent: false);
        }

        RegisterComponents();
        this.Keep();
        using var _ = no_grad();
        if (learned is not null)
        {
            learned.weight!.normal_(0, 0.02, generator);
            learned.weight![items].zero_();
        }

        if (projection is not null)
        {
            projection.weight!.normal_(0, deviation / Math.Sqrt(features!.size(1)), generator);
        }
    }

    /// <summary>The index that stands for no item; its vector is zero.</summary>
    public int None { get; }

    /// <param name="items">[…] item indexes, <see cref="None"/> where there is none.</param>
    /// <returns>[…, dim]</returns>
    public Tensor Forward(Tensor items) => Sum(learned?.forward(items), projection?.Apply(get_buffer(FeaturesKey)![items]));

    /// <summary>All vectors.</summary>
    /// <returns>[items + 1, dim]; the last is zero.</returns>
    public Tensor Table() => Sum(learned?.weight, projection?.Apply(get_buffer(FeaturesKey)!));

    /// <summary>[dim, features] by which features are projected; null: there are none.</summary>
    public Tensor? Projection => projection?.weight;

    private static Tensor Sum(Tensor? learned, Tensor? projected) =>
        learned is null ? projected!.to(ScalarType.Float32) : projected is null ? learned : learned + projected;
}
