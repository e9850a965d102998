using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Legs.Generative;
using Recsys.Retrieval.Models;
using Recsys.Retrieval.Training;

namespace Recsys.Retrieval;

/// <summary>
/// What the legs know of items that came after training: those that brought a vector of the content leg (<see cref="IItemVectors"/>) are
/// ranked by it, and by what was learned of the trained items that are most like them, as cold items of a training are
/// (<see cref="StandIns"/>). Immutable; grown from one another, they share what they have.
/// </summary>
public sealed class NewItems
{
    internal static readonly NewItems None = new(0, []);

    private readonly int _trained;
    private readonly NewItem?[] _items;

    private NewItems(int trained, NewItem?[] items) => (_trained, _items) = (trained, items);

    public int Count => _items.Length;

    /// <summary>[Count] in the order of the table; null: its codes alone are known.</summary>
    internal IReadOnlyList<NewItem?> Items => _items;

    /// <summary>By item index; null: trained, or known by its codes alone.</summary>
    internal NewItem? Of(int item) => item < _trained || item - _trained >= _items.Length ? null : _items[item - _trained];

    /// <summary>Indexes of those that have a vector.</summary>
    internal IEnumerable<int> Ranked => Enumerable.Range(0, _items.Length).Where(at => _items[at] is not null).Select(at => _trained + at);

    /// <summary>Those of a table; reads trained vectors for what is new since <paramref name="before"/> alone.</summary>
    internal static NewItems Of(RetrievalModel model, ItemTable table, NewItems before)
    {
        int trained = model.Config.TrainedItems;
        var items = new NewItem?[table.Count - trained];
        before._items.CopyTo(items, 0);
        if (model.Content is { } content)
        {
            int[] brought = [.. Enumerable.Range(before.Count, items.Length - before.Count)
                .Where(at => table.VectorOf(trained + at).Length == content.Config.Options.Dim)];
            foreach (int[] some in brought.Chunk(StandIns.BlockOf(trained)))
            {
                var like = Alike(model, content, [.. some.Select(at => table.VectorOf(trained + at).ToArray())]);
                foreach (var (place, at) in some.Index())
                {
                    items[at] = like[place];
                }
            }
        }

        return items.Length == 0 ? None : new NewItems(trained, items);
    }

    /// <summary>A leg's vectors of items.</summary>
    /// <param name="table">[trained items + 1, dim] float32 or bf16, the last row zero.</param>
    /// <param name="items">Item indexes; -1: none.</param>
    /// <param name="leg">Its name.</param>
    /// <returns>[items, dim] float32; zero for items that the leg does not know.</returns>
    internal Tensor Select(Tensor table, IReadOnlyList<int> items, string leg)
    {
        int none = (int)table.size(0) - 1;
        long[] rows = [.. items.Select(item => item < 0 ? none : (long)Math.Min(item, none))];
        var selected = table.index_select(0, tensor(rows, device: table.device)).to(ScalarType.Float32);
        int[] fresh = Count == 0 ? [] : [.. Enumerable.Range(0, items.Count).Where(at => Of(items[at]) is not null)];
        if (fresh.Length > 0)
        {
            float[] vectors = [.. fresh.SelectMany(at => Of(items[at])!.VectorIn(leg))];
            selected.index_copy_(
                0, tensor(Array.ConvertAll(fresh, at => (long)at), device: table.device),
                tensor(vectors, [fresh.Length, table.size(1)], device: table.device));
        }

        return selected;
    }

    private static NewItem[] Alike(RetrievalModel model, DenseLeg content, float[][] vectors)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var (like, weights) = StandIns.Among(
            content.Vectors, content.InverseNorms, model.Interactions,
            tensor(vectors.SelectMany(of => of).ToArray(), [vectors.Length, content.Config.Options.Dim]));
        var id = model.Legs.OfType<DenseLeg>().FirstOrDefault(leg => leg.Name == DenseLeg.Id)?.Vectors;
        return [.. vectors.Select((vector, at) => new NewItem(
            vector, Mean(id, like[at], weights[at]), Mean(model.Generative?.Vectors, like[at], weights[at]), like[at], weights[at]))];
    }

    private static float[] Mean(Tensor? vectors, int[] items, float[] weights)
    {
        if (vectors is null)
        {
            return [];
        }

        var rows = vectors.index_select(0, tensor(Array.ConvertAll(items, item => (long)item), device: vectors.device)).cpu();
        return PackedTrunk.Values((rows.to(ScalarType.Float32) * tensor(weights).unsqueeze(1)).sum(dim: 0));
    }
}

/// <summary>One of them.</summary>
/// <param name="Content">Its vector in the content leg.</param>
/// <param name="Id">In the ID leg; empty where there is none.</param>
/// <param name="Read">What the generative leg reads of it beside its codes; empty: nothing.</param>
/// <param name="Like">Trained items that stand for it.</param>
/// <param name="Weights">Of those, with sum 1.</param>
internal sealed record NewItem(float[] Content, float[] Id, float[] Read, int[] Like, float[] Weights)
{
    /// <param name="leg">Its name.</param>
    public float[] VectorIn(string leg) => leg switch
    {
        DenseLeg.Content => Content,
        DenseLeg.Id => Id,
        GenerativeLeg.LegName => Read,
        _ => throw new ArgumentOutOfRangeException(nameof(leg), leg, "This leg has no vectors."),
    };
}
