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
public sealed class DecoderOnly : Module
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
        blocks = ModuleList(Enumerable.Range(0, options.Layers).Select(_ => new Block(Dim, options.Heads)).ToArray());
        norm = LayerNorm(Dim);
        heads = ModuleList(layout.Sizes.Select(size => Linear(Dim, size, hasBias: false)).ToArray());
        RegisterComponents();
        this.Keep();
        Transformers.Initialise(this, options.Layers, generator);
    }

    public int Dim { get; }

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
            (x, normed) = blocks[layer].Forward(x, normed, offsets, next, dropout);
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

    /// <summary>One more token for each beam.</summary>
    /// <param name="codes">[rows, beams] the token just chosen, within its level.</param>
    /// <param name="level">The level to be predicted next, from 1.</param>
    /// <returns>[rows, beams, dim]</returns>
    public Tensor Extend(Tensor codes, int level, HistoryCache history, BeamCache beams)
    {
        var x = tokens.forward(codes + _layout.Offsets[level - 1]) + levels.weight![level] + history.NextPosition; // [rows, beams, dim]
        for (int layer = 0; layer < blocks.Count; layer++)
        {
            x = blocks[layer].Extend(x, history, beams, layer);
        }

        return norm.forward(x);
    }

    /// <summary>Scores before softmax of a level's tokens.</summary>
    /// <param name="hidden">[…, dim]</param>
    /// <returns>[…, tokens of the level]</returns>
    public Tensor Logits(Tensor hidden, int level) => heads[level].Apply(hidden);

    /// <summary>Log-probabilities over all of a level's tokens, legal or not: what is masked later is not made up for.</summary>
    public Tensor LogProbabilities(Tensor hidden, int level) => functional.log_softmax(Logits(hidden, level).to(ScalarType.Float32), -1);

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

/// <summary>Keys and values of a batch of histories, one copy for all beams.</summary>
/// <param name="NextPosition">[rows, 1, dim] position embedding of the item to come.</param>
/// <param name="Bias">[rows, 1, 1, length] −inf behind a history's end.</param>
public sealed record HistoryCache(Tensor NextPosition, Tensor Bias)
{
    /// <summary>[layer] each [rows, heads, length, head dim]</summary>
    public List<Tensor> Keys { get; } = [];

    public List<Tensor> Values { get; } = [];

    public void Add(Tensor keys, Tensor values)
    {
        Keys.Add(keys);
        Values.Add(values);
    }
}

/// <summary>Keys and values of the few tokens that each beam has of its own.</summary>
public sealed class BeamCache
{
    private readonly List<(Tensor Keys, Tensor Values)> _layers = []; // each [rows, heads, beams, tokens, head dim]

    /// <summary>Adds one token of each beam and gives back all of the layer.</summary>
    /// <param name="keys">[rows, heads, beams, head dim]</param>
    public (Tensor Keys, Tensor Values) Append(int layer, Tensor keys, Tensor values)
    {
        var (k, v) = (keys.unsqueeze(3), values.unsqueeze(3));
        if (layer < _layers.Count)
        {
            (k, v) = (cat([_layers[layer].Keys, k], 3), cat([_layers[layer].Values, v], 3));
            _layers.RemoveAt(layer);
        }

        _layers.Insert(layer, (k.MoveToOuterDisposeScope(), v.MoveToOuterDisposeScope()));
        return _layers[layer];
    }

    /// <summary>Makes each new beam continue its parent.</summary>
    /// <param name="parents">[rows, new beams]</param>
    public void Follow(Tensor parents)
    {
        for (int layer = 0; layer < _layers.Count; layer++)
        {
            var (keys, values) = _layers[layer];
            var index = parents.view(parents.size(0), 1, -1, 1, 1).expand(-1, keys.size(1), -1, keys.size(3), keys.size(4));
            _layers[layer] = (keys.gather(2, index), values.gather(2, index));
        }
    }
}

/// <summary>x + attention(norm(x)), then x + MLP(norm(x)).</summary>
internal sealed class Block : Module
{
    private readonly int _heads;
    private readonly LayerNorm norm1, norm2;
    private readonly Linear qkv, output, up, down;

    public Block(int dim, int heads)
        : base(nameof(Block))
    {
        _heads = heads;
        norm1 = LayerNorm(dim);
        qkv = Linear(dim, 3 * dim);
        output = Linear(dim, dim);
        norm2 = LayerNorm(dim);
        up = Linear(dim, 4 * dim);
        down = Linear(4 * dim, dim);
        RegisterComponents();
    }

    /// <summary>The norm before the attention.</summary>
    public LayerNorm AttentionNorm => norm1;

    /// <summary>Training: windows end to end.</summary>
    /// <param name="x">[tokens, dim] the residual stream.</param>
    /// <param name="normed">[tokens, dim] the same after this block's first norm.</param>
    /// <param name="offsets">[windows + 1]</param>
    /// <param name="next">The norm that comes after this block.</param>
    /// <returns>The residual stream behind this block, as it is and after <paramref name="next"/>.</returns>
    public (Tensor X, Tensor Normed) Forward(Tensor x, Tensor normed, Tensor offsets, LayerNorm next, DropoutSeeds? dropout)
    {
        long tokens = x.size(0), dim = x.size(1);
        var read = Fused.SelfAttention(qkv.Apply(normed).view(tokens, 3, _heads, dim / _heads), offsets, causal: true);
        (x, normed) = AddNorm(x, output.Apply(read.view(tokens, dim)), norm2, dropout);
        return AddNorm(x, FeedForward(normed), next, dropout);
    }

    /// <summary>The residual stream with a branch added, as it is and after a norm.</summary>
    public static (Tensor X, Tensor Normed) AddNorm(Tensor x, Tensor branch, LayerNorm norm, DropoutSeeds? dropout) =>
        Fused.AddDropoutNorm(x, branch, norm, dropout?.P ?? 0, dropout?.Next() ?? 0, dropout?.FirstRow ?? 0);

    /// <summary>Inference: histories in rows, their keys and values kept.</summary>
    /// <param name="x">[rows, length, dim]</param>
    /// <param name="bias">Added to the scores [rows, heads, length, length].</param>
    public (Tensor Output, Tensor Keys, Tensor Values) Read(Tensor x, Tensor bias)
    {
        var (q, k, v) = Project(x); // [rows, heads, length, head dim]
        var scores = matmul(q, k.transpose(2, 3)) + bias.to(q.dtype); // [rows, heads, length, length]
        var read = matmul(functional.softmax(scores, -1), v); // [rows, heads, length, head dim]
        return (AddAttentionAndFeedForward(x, read), k, v);
    }

    /// <summary>Beams are query rows against the one history, and each looks at its own few tokens besides.</summary>
    /// <param name="x">[rows, beams, dim]</param>
    public Tensor Extend(Tensor x, HistoryCache history, BeamCache beams, int layer)
    {
        using var scope = NewDisposeScope(); // many layers and levels follow: what one of them needs goes with it
        var (q, k, v) = Project(x); // [rows, heads, beams, head dim]
        var (ownKeys, ownValues) = beams.Append(layer, k, v); // [rows, heads, beams, tokens, head dim]
        var far = matmul(q, history.Keys[layer].transpose(2, 3)) + history.Bias; // [rows, heads, beams, length]
        var near = (q.unsqueeze(3) * ownKeys).sum(-1); // [rows, heads, beams, tokens]
        var weights = functional.softmax(cat([far, near], -1), -1);
        long length = far.size(3);
        var read = matmul(weights.narrow(3, 0, length), history.Values[layer])
            + (weights.narrow(3, length, near.size(3)).unsqueeze(4) * ownValues).sum(3); // [rows, heads, beams, head dim]
        return AddAttentionAndFeedForward(x, read).MoveToOuterDisposeScope();
    }

    private (Tensor Q, Tensor K, Tensor V) Project(Tensor x)
    {
        long headDim = x.size(2) / _heads;
        var all = qkv.Apply(norm1.forward(x)).view(x.size(0), x.size(1), 3, _heads, headDim).permute(2, 0, 3, 1, 4);
        return (all[0] / Math.Sqrt(headDim), all[1], all[2]); // each [rows, heads, length, head dim]
    }

    private Tensor AddAttentionAndFeedForward(Tensor x, Tensor read)
    {
        x = x + output.Apply(read.transpose(1, 2).reshape(x.shape));
        return x + FeedForward(norm2.forward(x));
    }

    private Tensor FeedForward(Tensor normed) => down.Apply(up.Apply(normed), gelu: true);
}
