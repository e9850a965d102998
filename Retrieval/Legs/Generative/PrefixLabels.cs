using System.Runtime.InteropServices;
using Recsys.Retrieval.Decoding;
using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Training;

namespace Recsys.Retrieval.Legs.Generative;

/// <summary>
/// What a dense leg expects as the next item, said in tokens: behind the target's first codes, the share of each token that may follow is
/// the probability of the items below it. Exact sums over the trie, in which those items are a range.
/// </summary>
internal sealed class PrefixLabels
{
    /// <summary>Cells of the [slots, items] matrix that are held at once.</summary>
    private const int MaxCells = 1 << 25;

    private readonly DenseLeg _teacher;
    private readonly TokenLayout _layout;
    private readonly int[] _codes; // [items × depth]
    private readonly ItemTrie _trie;
    private readonly int[] _leaf; // [items] of the trie
    private readonly int[] _cold; // leaves that the teacher never learned
    private readonly bool _ranksSeen;

    public PrefixLabels(DenseLeg teacher, RetrievalTrainingData data, TokenLayout layout)
    {
        (_teacher, _layout, _codes, _trie) = (teacher, layout, layout.Codes(data.Items), new ItemTrie(data.Items));
        _leaf = new int[_trie.Leaves];
        foreach (var (leaf, item) in _trie.LeafItem.Index())
        {
            _leaf[item] = leaf;
        }

        int[] interactions = data.Training.Interactions(data.Items.Count);
        _cold = [.. Enumerable.Range(0, _trie.Leaves).Where(leaf => interactions[_trie.LeafItem[leaf]] == 0)];
        _ranksSeen = DenseTraining.RanksSeen(data.Training, teacher.Config.Options);
    }

    /// <param name="slots">[n] of the batch, each with an item before it.</param>
    /// <returns>[depth] each [n, tokens of the level], every row with sum 1; where the teacher expects nothing behind a prefix, the
    /// target's token has it all.</returns>
    public Tensor[] Of(PackedBatch batch, int[] slots)
    {
        using var ungraded = no_grad();
        using var scope = NewDisposeScope();
        var (states, vectors) = _teacher.Read(batch, slots, _trie.LeafItem);
        float[][] labels = [.. _layout.Sizes.Select(size => new float[slots.Length * size])];
        int rows = Math.Max(1, MaxCells / _trie.Leaves);
        for (int first = 0; first < slots.Length; first += rows)
        {
            using var part = NewDisposeScope();
            int count = Math.Min(rows, slots.Length - first);
            var logits = MixedPrecision.Product(states.narrow(0, first, count), vectors.transpose(0, 1));
            var p = functional.softmax(logits, -1, ScalarType.Float32).cpu(); // [rows, leaves]
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = get_num_threads() }, row => Sum(
                MemoryMarshal.Cast<byte, float>(p.bytes).Slice(row * _trie.Leaves, _trie.Leaves), batch, slots[first + row], labels,
                first + row));
        }

        return [.. labels.Select((of, level) =>
            tensor(of, [slots.Length, _layout.Sizes[level]], device: states.device).MoveToOuterDisposeScope())];
    }

    /// <param name="p">[leaves] of the trie; what is no candidate is set to 0.</param>
    private void Sum(Span<float> p, PackedBatch batch, int slot, float[][] labels, int row)
    {
        int target = batch.Items[slot];
        foreach (int leaf in _cold)
        {
            p[leaf] = 0;
        }

        for (int seen = slot; !_ranksSeen && batch.Previous[seen] >= 0; seen--) // back to the window's first slot
        {
            p[_leaf[batch.Previous[seen]]] *= batch.Previous[seen] == target ? 1 : 0;
        }

        for (int depth = 0, first = 0, end = _trie.Nodes(0); depth < _layout.Depth; depth++)
        {
            var (size, leaves, token) = (_layout.Sizes[depth], _trie.FirstLeaf[depth], _codes[(target * _layout.Depth) + depth]);
            var label = labels[depth].AsSpan(row * size, size);
            double all = 0;
            for (int node = first; node < end; node++)
            {
                double share = 0;
                foreach (float of in p[leaves[node]..leaves[node + 1]])
                {
                    share += of;
                }

                label[_trie.Tokens[depth][node]] = (float)share;
                all += share;
            }

            if (all > 0)
            {
                foreach (ref float share in label)
                {
                    share = (float)(share / all);
                }
            }
            else
            {
                label[token] = 1;
            }

            int next = Array.BinarySearch(_trie.Tokens[depth], first, end - first, token);
            (first, end) = (_trie.FirstChild[depth][next], _trie.FirstChild[depth][next + 1]);
        }
    }
}
