using System.Buffers;
using Recsys.Torch.Kernels;

namespace Recsys.Retrieval.Models;

/// <summary>
/// A <see cref="DecoderOnly"/> on a CPU, packed for answering: the same numbers up to rounding, without an operator of libtorch for each
/// step. Immutable; safe to use from many threads.
/// </summary>
internal sealed class PackedDecoder : IDisposable
{
    private readonly TokenLayout _layout;
    private readonly float[] _tokens, _levels, _written; // [vocabulary, depth, vocabulary] × dim
    private readonly PackedTrunk _trunk;
    private readonly PackedBlocks _depth;
    private readonly PackedLinear[] _heads;

    /// <param name="embeddings">Of tokens that are read, levels, and tokens that are written.</param>
    /// <param name="trunk">Becomes this decoder's to dispose, as the others do.</param>
    public PackedDecoder(
        TokenLayout layout, Embedding[] embeddings, PackedTrunk trunk, PackedBlocks depth, PackedLinear[] heads)
    {
        float[][] values = Array.ConvertAll(embeddings, embedding => PackedTrunk.Values(embedding.weight!));
        (_layout, _tokens, _levels, _written) = (layout, values[0], values[1], values[2]);
        (_trunk, _depth, _heads) = (trunk, depth, heads);
    }

    private int Dim => _trunk.Dim;

    /// <summary>Reads histories.</summary>
    /// <param name="previous">[slots × depth] the tokens of the item before each slot, of the whole vocabulary.</param>
    /// <param name="starts">[histories + 1] the slot at which each history starts.</param>
    /// <param name="vectors">[slots × dim] of the item before; null: none.</param>
    public PrefixStates Read(long[] previous, int[] starts, float[]? vectors)
    {
        float[] slots = vectors ?? new float[starts[^1] * Dim];
        for (int at = 0; at < previous.Length; at++)
        {
            PackedTrunk.Add(slots.AsSpan(at / _layout.Depth * Dim, Dim), _tokens, (int)previous[at]);
        }

        return new States(this, _trunk.Read(slots, starts));
    }

    public void Dispose()
    {
        _trunk.Dispose();
        _depth.Dispose();
        Array.ForEach(_heads, head => head.Dispose());
    }

    private sealed class States : PrefixStates
    {
        private readonly PackedDecoder _network;
        private readonly ReadRows _read = new(); // a row for each state, with its number
        private readonly List<int> _parents = []; // [states] -1: a history
        private float[] _newest; // [new states × dim], and room behind them
        private float[] _rented = []; // the same, once it is not what the trunk made
        private int _count; // new states

        /// <param name="histories">[rows × dim] what the trunk made of them.</param>
        public States(PackedDecoder network, float[] histories)
        {
            (_network, _newest, Rows) = (network, histories, histories.Length / network.Dim);
            _parents.AddRange(Enumerable.Repeat(-1, Rows));
            Read(0, Rows);
            Take(0, Rows);
        }

        public override int Rows { get; }

        public override void Dispose()
        {
            base.Dispose();
            _read.Dispose();
            GiveBack();
        }

        protected override (int Places, int Tokens) Shape(int level) => (_count, _network._heads[level].Outputs);

        protected override void Fill(int level, Span<float> values) =>
            _network._heads[level].LogProbabilities(_newest.AsSpan(0, _count * _network.Dim), values);

        protected override void Continue(int level, int[] parents, int[] tokens)
        {
            int dim = _network.Dim, first = _network._layout.Offsets[level - 1];
            if (_newest.Length < parents.Length * dim)
            {
                GiveBack();
                _newest = _rented = ArrayPool<float>.Shared.Rent(parents.Length * dim);
            }

            for (int state = 0; state < parents.Length; state++)
            {
                _network._written.AsSpan((first + tokens[state]) * dim, dim).CopyTo(_newest.AsSpan(state * dim));
            }

            _parents.AddRange(parents);
            Read(level, parents.Length);
        }

        private void GiveBack()
        {
            if (_rented.Length > 0)
            {
                ArrayPool<float>.Shared.Return(_rented);
                _rented = [];
            }
        }

        /// <summary>Reads the new states' tokens, each behind those on the way to it.</summary>
        private void Read(int level, int count)
        {
            int length = level + 1, dim = _network.Dim;
            var (ways, offsets) = (new int[count * length], new long[count + 1]);
            for (int state = 0; state < count; state++)
            {
                PackedTrunk.Add(_newest.AsSpan(state * dim, dim), _network._levels, level);
                int on = _read.Count + state;
                for (int at = level; at >= 0; at--, on = _parents[on])
                {
                    ways[(state * length) + at] = on;
                }

                offsets[state + 1] = (state + 1L) * length;
            }

            _network._depth.Read(_newest.AsSpan(0, count * dim), _read, offsets, ways);
            _count = count;
        }
    }
}
