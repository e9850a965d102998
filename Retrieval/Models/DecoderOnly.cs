using Recsys.Retrieval.Legs.Generative;
using Recsys.Torch.Kernels;

namespace Recsys.Retrieval.Models;

/// <summary>
/// A decoder-only transformer over the flattened stream of semantic IDs, trained at every position at once: position (slot, level) reads
/// all tokens before it and predicts token <c>level</c> of the item in <c>slot</c>. Level 0 of a slot reads the last token of the item
/// before it (BOS at first), and there alone that item's own dense vector is added: any earlier token still has a code of that item to
/// predict.
/// Pre-norm blocks as in GPT-2 (Radford et al. 2019); generative retrieval by semantic IDs: TIGER (Rajput et al. 2023).
/// </summary>
public sealed class DecoderOnly : SemanticDecoder
{
    private readonly TokenLayout _layout;
    private readonly Embedding tokens, levels, positions;
    private readonly ModuleList<Block> blocks;
    private readonly LayerNorm norm;
    private readonly ModuleList<Linear> heads;

    public DecoderOnly(TokenLayout layout, GenerativeOptions options, Generator generator)
        : base(nameof(DecoderOnly))
    {
        _layout = layout;
        Dim = options.Dim;
        tokens = Embedding(layout.Vocabulary, Dim);
        levels = Embedding(layout.Depth, Dim);
        positions = Embedding(options.History + 1, Dim);
        blocks = ModuleList(
            Enumerable.Range(0, options.Layers).Select(_ => new Block(Dim, options.Heads, Dim / options.Heads, 4 * Dim)).ToArray());
        norm = LayerNorm(Dim);
        heads = ModuleList(layout.Sizes.Select(size => Linear(Dim, size, hasBias: false)).ToArray());
        RegisterComponents();
        this.Keep();
        Transformers.Initialise(this, options.Layers, generator);
    }

    public override int Dim { get; }

    public int Depth => _layout.Depth;

    /// <summary>All positions of windows laid end to end, each seeing itself alone.</summary>
    /// <param name="input">Tokens, positions and dense vectors of one row of slots.</param>
    /// <param name="offsets">[windows + 1] int64 on the CPU: the token at which each window starts; the last is slots × depth.</param>
    /// <param name="dropout">Where the masks come from; null: none.</param>
    /// <returns>[slots, depth, dim]</returns>
    public Tensor Forward(SlotInput input, Tensor offsets, DropoutSeeds? dropout)
    {
        var embedded = Embed(input).view(-1, Dim); // [slots × depth, dim]
        var (x, normed) = Block.AddNorm(zeros_like(embedded), embedded, blocks[0].AttentionNorm, dropout);
        for (int layer = 0; layer < blocks.Count; layer++)
        {
            var next = layer + 1 < blocks.Count ? blocks[layer + 1].AttentionNorm : norm;
            (x, normed) = blocks[layer].Forward(x, normed, offsets, causal: true, next, dropout);
        }

        return normed.view(input.Slots, Depth, Dim);
    }

    /// <summary>Reads histories once; their keys and values serve every beam and every later token.</summary>
    /// <param name="input">Slots 0 to n of each history of n items; slot n holds only its first token.</param>
    /// <param name="lengths">[rows] items of each history.</param>
    /// <returns>[rows, dim] the hidden state that predicts the next item's first code, and the cache.</returns>
    public (Tensor Hidden, HistoryCache Cache) Read(SlotInput input, Tensor lengths)
    {
        long length = ((input.Slots - 1) * Depth) + 1;
        var ends = lengths * Depth; // [rows] the last token of each history
        var at = arange(length, ScalarType.Int64, lengths.device); // [length]
        var visible = at.unsqueeze(0).le(at.unsqueeze(1)); // [length, length] causal: what pads a short history lies behind its end
        var bias = zeros(length, length, ScalarType.Float32, lengths.device).masked_fill(visible.logical_not(), float.NegativeInfinity);
        var x = Embed(input).narrow(1, 0, length); // [rows, length, dim]
        var cache = new HistoryCache(
            positions.forward(lengths).unsqueeze(1), // [rows, 1, dim]
            zeros(lengths.size(0), length, ScalarType.Float32, lengths.device)
                .masked_fill(at.unsqueeze(0).gt(ends.unsqueeze(1)), float.NegativeInfinity).view(-1, 1, 1, length));
        foreach (var block in blocks)
        {
            (x, var keys, var values) = block.Read(x, bias);
            cache.Add(keys, values);
        }

        var last = x.gather(1, ends.view(-1, 1, 1).expand(-1, 1, Dim)).squeeze(1); // [rows, dim]
        return (norm.forward(last), cache);
    }

    public override Tensor Extend(Tensor codes, int level, HistoryCache history, BeamCache beams)
    {
        var x = tokens.forward(codes + _layout.Offsets[level - 1]) + levels.weight![level] + history.NextPosition; // [rows, beams, dim]
        for (int layer = 0; layer < blocks.Count; layer++)
        {
            x = blocks[layer].Extend(x, history, beams, layer);
        }

        return norm.forward(x);
    }

    public override Tensor Logits(Tensor hidden, int level) => heads[level].Apply(hidden);

    private Tensor Embed(SlotInput input)
    {
        var x = tokens.forward(input.Tokens) // [rows, slots, depth, dim]
            + levels.weight!.view(1, 1, Depth, Dim)
            + positions.forward(input.Positions).unsqueeze(2);
        if (input.Vectors is { } vectors) // [rows, slots, dim]: of the previous item, at level 0 alone
        {
            x = cat([x.narrow(2, 0, 1) + vectors.unsqueeze(2), x.narrow(2, 1, Depth - 1)], 2);
        }

        return x.view(input.Rows, input.Slots * Depth, Dim);
    }
}

/// <summary>What the decoder reads, in item slots.</summary>
/// <param name="Tokens">[rows, slots, depth] of the whole vocabulary: the last token of the item before, then the item's own but its
/// last.</param>
/// <param name="Positions">[rows, slots] place of the item in its history.</param>
/// <param name="Vectors">[rows, slots, dim] dense vector of the item before; null: codes alone.</param>
public sealed record SlotInput(Tensor Tokens, Tensor Positions, Tensor? Vectors)
{
    public long Rows => Tokens.size(0);

    public long Slots => Tokens.size(1);
}
