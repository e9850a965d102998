using Recsys.Retrieval.Legs;
using Recsys.Torch.Kernels;

namespace Recsys.Retrieval.Models;

/// <summary>
/// SASRec's shape (Kang and McAuley 2018): a causal transformer over the vectors of a history's items. The state behind an item, times
/// the vector of any item, is that item's score as the next one.
/// </summary>
public sealed class SequenceEncoder : Module
{
    private readonly int _heads;
    private readonly Embedding positions;
    private readonly ModuleList<Block> blocks;
    private readonly LayerNorm norm;

    public SequenceEncoder(LegOptions options, Generator generator)
        : base(nameof(SequenceEncoder))
    {
        positions = Embedding(options.History + 1, options.Dim);
        (int dim, _heads) = (options.Dim, options.Heads);
        blocks = ModuleList(Enumerable.Range(0, options.Layers).Select(_ => new Block(dim, _heads, dim / _heads, 4 * dim)).ToArray());
        norm = LayerNorm(options.Dim);
        RegisterComponents();
        this.Keep();
        Transformers.Initialise(this, options.Layers, generator);
    }

    /// <summary>Histories laid end to end, each seeing itself alone.</summary>
    /// <param name="vectors">[slots, dim] the vector of each slot's item.</param>
    /// <param name="places">[slots] place of the item in its history, from 0.</param>
    /// <param name="offsets">[histories + 1] int64 on the CPU: the slot at which each history starts.</param>
    /// <param name="dropout">Where the masks come from; null: none.</param>
    /// <returns>[slots, dim]</returns>
    public Tensor Forward(Tensor vectors, Tensor places, Tensor offsets, DropoutSeeds? dropout)
    {
        return Block.Stack(blocks, vectors + positions.forward(places), offsets, causal: true, norm, dropout);
    }

    /// <summary>A copy of the weights for answering on a CPU; later changes are not seen.</summary>
    internal PackedTrunk Pack(bool half) =>
        new(new PackedBlocks([.. blocks.Select(block => block.Layers)], norm, _heads, half), positions);
}
