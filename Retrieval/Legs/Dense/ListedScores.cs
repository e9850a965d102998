using Recsys.Retrieval.Decoding;

namespace Recsys.Retrieval.Legs.Dense;

/// <summary>What a dense leg says behind one history, from the lists of vectors towards its state. A score is exact but for what all share,
/// the logarithm of the sum over all items (<see cref="ListSearch.LogSum"/>).</summary>
internal sealed class ListedScores : ILegScores
{
    private readonly float[] _state;
    private readonly int _trained;
    private readonly NewItems _fresh;
    private readonly string _leg;
    private readonly ListSearch _search;
    private readonly float[] _scores; // of the items that are looked at
    private readonly float _partition; // log Σ e^product over all trained items

    /// <param name="state">[dim]</param>
    /// <param name="vectors">[items + 1, dim] float32 or bf16, dense, on the CPU.</param>
    /// <param name="lists">Of those vectors.</param>
    /// <param name="fresh">Items that came after training.</param>
    /// <param name="leg">Its name.</param>
    public ListedScores(float[] state, Tensor vectors, VectorLists lists, NewItems fresh, string leg)
    {
        (_state, _trained, _fresh, _leg) = (state, lists.Items.Length, fresh, leg);
        _search = new ListSearch(state, vectors, lists);
        _scores = _search.Products(_search.Items);
        _partition = _search.LogSum(_scores);
        TensorPrimitives.Subtract(_scores, _partition, _scores);
    }

    /// <summary>Of what is looked at: others may have less.</summary>
    public float Least => _scores.Min(); // of numbers, where one is none

    public float[] Of(ReadOnlySpan<int> items)
    {
        float[] products = _search.Products([.. items.ToArray().Where(item => item < _trained)]);
        var scores = new float[items.Length];
        for (int i = 0, known = 0; i < items.Length; i++)
        {
            scores[i] = items[i] < _trained ? products[known++] - _partition
                : _fresh.Of(items[i]) is { } item ? TensorPrimitives.Dot<float>(_state, item.VectorIn(_leg)) - _partition
                : float.NaN;
        }

        return scores;
    }

    public int[] Best(int n, Admission? admission)
    {
        return admission?.Few is { } few
            ? Best(n, [.. few.Where(item => item < _trained + _fresh.Count)])
            : Best(n, item => admission?.Allows(item) != false);
    }

    public int[] Best(int n, Admission? admission, ItemGroup among)
    {
        return admission?.Few is { } few ? Best(n, [.. few.Where(item => among.Has(item))])
            : among.Items.Length <= ListSearch.Looked ? Best(n, [.. among.Items.Where(item => admission?.Allows(item) != false)])
            : Best(n, item => among.Has(item) && admission?.Allows(item) != false);
    }

    private int[] Best(int n, int[] items) => TopItems.Of(Of(items), items, n);

    private int[] Best(int n, Predicate<int> allows)
    {
        var (items, scores) = (new List<int>(), new List<float>());
        foreach (var (at, item) in _search.Items.Index())
        {
            if (allows(item))
            {
                items.Add(item);
                scores.Add(_scores[at]);
            }
        }

        int[] others = [.. _fresh.Ranked.Where(item => allows(item)), .. _search.Further(items.Count, n, allows)];
        return TopItems.Of([.. scores, .. Of(others)], [.. items, .. others], n);
    }
}
