using Recsys.Retrieval.Legs.Generative;
using Recsys.Torch.Kernels;

namespace Recsys.Retrieval.Models;

/// <summary>
/// A decoder-only transformer in two stages (RQ-Transformer, Lee et al. 2022): the trunk reads a history item by item, an item being the
/// sum of its tokens' embeddings and its dense vector, and the head writes the next item's tokens, each reading the trunk's state and the
/// tokens before it. Trained at every item of a window at once; what every beam looks back at is one state, however long the history.
/// Generative retrieval by semantic IDs: TIGER (Rajput et al. 2023).
/// </summary>
public sealed class DecoderOnly : SemanticDecoder
{
    private readonly TokenLayout _layout;
    private readonly int _heads;
    private readonly Embedding tokens, positions, levels, written;
    private readonly ModuleList<Block> trunk, depth;
    private readonly LayerNorm middle, norm;
    private readonly ModuleList<Linear> heads;

    public DecoderOnly(TokenLayout layout, GenerativeOptions options, Generator generator)
        : base(nameof(DecoderOnly))
    {
        (_layout, _heads, Dim) = (layout, options.Heads, options.Dim);
        tokens = Embedding(layout.Vocabulary, Dim);
        positions = Embedding(options.History + 1, Dim);
        levels = Embedding(layout.Depth, Dim);
        written = Embedding(layout.Vocabulary, Dim);
        ModuleList<Block> Blocks(int count) => ModuleList(
            Enumerable.Range(0, count).Select(_ => new Block(Dim, options.Heads, Dim / options.Heads, 4 * Dim)).ToArray());
        (trunk, middle, depth, norm) = (Blocks(options.Layers), LayerNorm(Dim), Blocks(options.DepthLayers), LayerNorm(Dim));
        heads = ModuleList(layout.Sizes.Select(size => Linear(Dim, size, hasBias: false)).ToArray());
        RegisterComponents();
        this.Keep();
        Transformers.Initialise(this, options.Layers, generator);
    }

    public override int Dim { get; }

    /// <summary>Dropout masks of one forward pass.</summary>
    public static int Masks(GenerativeOptions options) => DropoutSeeds.Count(options.Layers) + DropoutSeeds.Count(options.DepthLayers);

    /// <summary>The state behind every slot of windows laid end to end, each seeing itself alone.</summary>
    /// <param name="offsets">[windows + 1] int64 on the CPU: the slot at which each window starts.</param>
    /// <param name="dropout">Where the masks come from; null: none.</param>
    /// <returns>[slots, dim]</returns>
    public Tensor Read(SlotInput input, Tensor offsets, DropoutSeeds? dropout)
    {
        var embedded = tokens.forward(input.Previous).sum(1) + positions.forward(input.Positions);
        embedded = input.Vectors is { } vectors ? embedded + vectors : embedded;
        return Block.Stack(trunk, embedded, offsets, causal: true, middle, dropout);
    }

    /// <summary>What predicts each token of an item.</summary>
    /// <param name="states">[slots, dim] of <see cref="Read"/>.</param>
    /// <param name="prefixes">[slots, depth − 1] of <see cref="TokenLayout.Prefixes"/>.</param>
    /// <returns>[slots, depth, dim]</returns>
    public Tensor Write(Tensor states, Tensor prefixes, DropoutSeeds? dropout)
    {
        var first = states.unsqueeze(1) + levels.weight!.narrow(0, 0, 1);
        var x = cat([first, written.forward(prefixes) + levels.weight!.narrow(0, 1, _layout.Depth - 1)], 1).view(-1, Dim);
        var offsets = arange(0, x.size(0) + 1, _layout.Depth, ScalarType.Int64);
        return Block.Stack(depth, x, offsets, causal: true, norm, dropout).view(-1, _layout.Depth, Dim);
    }

    /// <summary>What beams look back at: the states behind histories.</summary>
    /// <param name="states">[rows, dim]</param>
    /// <returns>[rows, dim] the hidden state that predicts the next item's first code, and the cache.</returns>
    public (Tensor Hidden, HistoryCache Cache) Begin(Tensor states)
    {
        var x = states.unsqueeze(1) + levels.weight!.narrow(0, 0, 1); // [rows, 1, dim]
        var bias = zeros(1, 1, ScalarType.Float32, x.device);
        var cache = new HistoryCache(bias.view(1, 1, 1, 1));
        foreach (var block in depth)
        {
            (x, var keys, var values) = block.Read(x, bias);
            cache.Add(keys, values);
        }

        return (norm.forward(x.squeeze(1)), cache);
    }

    public override Tensor Extend(Tensor codes, int level, HistoryCache history, BeamCache beams)
    {
        var x = written.forward(codes + _layout.Offsets[level - 1]) + levels.weight![level]; // [rows, beams, dim]
        for (int layer = 0; layer < depth.Count; layer++)
        {
            x = depth[layer].Extend(x, history, beams, layer);
        }

        return norm.forward(x);
    }

    public override Tensor Logits(Tensor hidden, int level) => heads[level].Apply(hidden);

    /// <summary>A copy of the weights for answering on a CPU; later changes are not seen.</summary>
    internal PackedDecoder Pack(bool half)
    {
        PackedBlocks Packed(ModuleList<Block> blocks, LayerNorm last) =>
            new([.. blocks.Select(block => block.Layers)], last, _heads, half);
        return new PackedDecoder(
            _layout, [tokens, levels, written], new PackedTrunk(Packed(trunk, middle), positions), Packed(depth, norm),
            [.. heads.Select(head => new PackedLinear(head, half))]);
    }
}

/// <summary>What the trunk reads, in item slots.</summary>
/// <param name="Previous">[slots, depth] the tokens of the item before, of the whole vocabulary; BOS where there is none.</param>
/// <param name="Positions">[slots] place of the item in its history.</param>
/// <param name="Vectors">[slots, dim] dense vector of the item before; null: codes alone.</param>
public sealed record SlotInput(Tensor Previous, Tensor Positions, Tensor? Vectors);
