using Recsys.Torch.Kernels;

namespace Recsys.Retrieval.Models;

/// <summary>A decoder's block: attention to the tokens written so far, attention to what was read, MLP; a norm before each.</summary>
internal sealed class CrossBlock : Module
{
    private readonly int _heads, _width;
    private readonly LayerNorm norm1, norm2, norm3;
    private readonly Linear qkv, output, cross_query, cross_memory, cross_output, up, down;

    /// <param name="dim">Of the residual stream.</param>
    /// <param name="width">Of a head.</param>
    /// <param name="hidden">Of the MLP.</param>
    public CrossBlock(int dim, int heads, int width, int hidden)
        : base(nameof(CrossBlock))
    {
        (_heads, _width) = (heads, width);
        norm1 = LayerNorm(dim);
        qkv = Linear(dim, 3 * heads * width);
        output = Linear(heads * width, dim);
        norm2 = LayerNorm(dim);
        cross_query = Linear(dim, heads * width);
        cross_memory = Linear(dim, 2 * heads * width);
        cross_output = Linear(heads * width, dim);
        norm3 = LayerNorm(dim);
        up = Linear(dim, hidden);
        down = Linear(hidden, dim);
        RegisterComponents();
    }

    /// <summary>The norm before the first attention.</summary>
    public LayerNorm FirstNorm => norm1;

    /// <summary>Training: tokens of all rows end to end.</summary>
    /// <param name="x">[tokens, dim] the residual stream.</param>
    /// <param name="normed">[tokens, dim] the same after <see cref="FirstNorm"/>.</param>
    /// <param name="offsets">[items + 1] where each item's tokens start.</param>
    /// <param name="memory">What was read.</param>
    /// <param name="next">The norm that comes after this block.</param>
    public (Tensor X, Tensor Normed) Forward(
        Tensor x, Tensor normed, Tensor offsets, PackedMemory memory, LayerNorm next, DropoutSeeds? dropout)
    {
        long tokens = x.size(0);
        var own = Fused.SelfAttention(qkv.Apply(normed).view(tokens, 3, _heads, _width), offsets, causal: true);
        (x, normed) = Block.AddNorm(x, output.Apply(own.view(tokens, -1)), norm2, dropout);
        var far = Fused.CrossAttention(
            cross_query.Apply(normed).view(tokens, _heads, _width), cross_memory.Apply(memory.Tokens).view(-1, 2, _heads, _width),
            memory.Queries, memory.Offsets, memory.Visible);
        (x, normed) = Block.AddNorm(x, cross_output.Apply(far.view(tokens, -1)), norm3, dropout);
        return Block.AddNorm(x, FeedForward(normed), next, dropout);
    }

    /// <summary>Keys and values of what was read.</summary>
    /// <param name="read">[rows, length, dim]</param>
    /// <returns>Each [rows, heads, length, width].</returns>
    public (Tensor Keys, Tensor Values) Remember(Tensor read)
    {
        var both = cross_memory.Apply(read).view(read.size(0), read.size(1), 2, _heads, _width).permute(2, 0, 3, 1, 4);
        return (both[0], both[1]);
    }

    /// <summary>Inference: one more token for each beam.</summary>
    /// <param name="x">[rows, beams, dim]</param>
    /// <param name="begin">Keys and values of BOS, each [rows, heads, 1, width]; null: this token is BOS.</param>
    /// <param name="read">Of <see cref="Remember"/>.</param>
    /// <param name="bias">[rows, 1, 1, length] −inf where nothing was read.</param>
    /// <param name="beams">Each beam's tokens behind BOS; gets this one's.</param>
    /// <returns>[rows, beams, dim]</returns>
    public Tensor Step(
        Tensor x, (Tensor Keys, Tensor Values)? begin, (Tensor Keys, Tensor Values) read, Tensor bias, BeamCache beams, int layer)
    {
        using var scope = NewDisposeScope();
        long rows = x.size(0), count = x.size(1);
        var all = qkv.Apply(norm1.forward(x)).view(rows, count, 3, _heads, _width).permute(2, 0, 3, 1, 4);
        var q = all[0] / Math.Sqrt(_width); // [rows, heads, beams, width]
        var (keys, values) = beams.Append(layer, all[1], all[2]); // [rows, heads, beams, tokens, width]
        var scores = (q.unsqueeze(3) * keys).sum(-1); // [rows, heads, beams, tokens]
        if (begin is { } bos)
        {
            scores = cat([matmul(q, bos.Keys.transpose(2, 3)), scores], -1);
        }

        var weights = functional.softmax(scores, -1);
        long first = begin is null ? 0 : 1;
        var own = (weights.narrow(3, first, keys.size(3)).unsqueeze(4) * values).sum(3); // [rows, heads, beams, width]
        if (begin is { } start)
        {
            own = own + matmul(weights.narrow(3, 0, 1), start.Values);
        }

        x = x + output.Apply(Join(own));
        var asked = cross_query.Apply(norm2.forward(x)).view(rows, count, _heads, _width).transpose(1, 2) / Math.Sqrt(_width);
        var far = functional.softmax(matmul(asked, read.Keys.transpose(2, 3)) + bias, -1); // [rows, heads, beams, length]
        x = x + cross_output.Apply(Join(matmul(far, read.Values)));
        return (x + FeedForward(norm3.forward(x))).MoveToOuterDisposeScope();
    }

    // [rows, heads, beams, width] to [rows, beams, heads × width]
    private Tensor Join(Tensor x) => x.transpose(1, 2).reshape(x.size(0), x.size(2), _heads * _width);

    private Tensor FeedForward(Tensor normed) => down.Apply(up.Apply(normed), gelu: true);
}

/// <summary>What was read of histories, laid end to end, and who looks back at it.</summary>
/// <param name="Tokens">[tokens read, dim]</param>
/// <param name="Offsets">[histories + 1] where each history starts in it.</param>
/// <param name="Queries">[histories + 1] where the tokens start that look back at each.</param>
/// <param name="Visible">[those tokens] of its history's, the first that each sees; null: all.</param>
internal sealed record PackedMemory(Tensor Tokens, Tensor Offsets, Tensor Queries, Tensor? Visible);
