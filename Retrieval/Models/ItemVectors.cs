namespace Recsys.Retrieval.Models;

/// <summary>
/// The dense vector of each item: a learned embedding plus its projected features. Serves as the decoder's dense input and as the dense
/// head's output embedding. Trained only; a saved model holds the finished table (<see cref="Table"/>).
/// </summary>
public sealed class ItemVectors : Module
{
    private const string FeaturesKey = "features"; // [items + 1, features]; the last row, of no item, is zero

    private readonly Embedding learned;
    private readonly Linear? projection;

    /// <param name="features">[items + 1, features], zero where an item has none; null: learned embeddings alone. Becomes this
    /// module's.</param>
    public ItemVectors(int items, int dim, Tensor? features, Generator generator)
        : base(nameof(ItemVectors))
    {
        None = items;
        learned = Embedding(items + 1, dim, padding_idx: items);
        projection = features is null ? null : Linear(features.size(1), dim, hasBias: false);
        if (features is not null)
        {
            register_buffer(FeaturesKey, features, persistent: false);
        }

        RegisterComponents();
        this.Keep();
        using var _ = no_grad();
        learned.weight!.normal_(0, 0.02, generator);
        learned.weight![items].zero_();
        if (projection is not null)
        {
            projection.weight!.normal_(0, 0.02, generator);
        }
    }

    /// <summary>The index that stands for no item; its vector is zero.</summary>
    public int None { get; }

    /// <param name="items">[…] item indexes, <see cref="None"/> where there is none.</param>
    /// <returns>[…, dim]</returns>
    public Tensor Forward(Tensor items)
    {
        var x = learned.forward(items);
        return projection is null ? x : x + projection.Apply(get_buffer(FeaturesKey)![items]);
    }

    /// <summary>All vectors.</summary>
    /// <returns>[items + 1, dim]; the last is zero.</returns>
    public Tensor Table() => projection is null ? learned.weight! : learned.weight! + projection.Apply(get_buffer(FeaturesKey)!);
}
