using Recsys.Torch.Kernels;

namespace Recsys.Retrieval.Models;

/// <summary>x + attention(norm(x)), then x + MLP(norm(x)).</summary>
internal sealed class Block : Module
{
    private readonly int _heads, _width;
    private readonly LayerNorm norm1, norm2;
    private readonly Linear qkv, output, up, down;

    /// <param name="dim">Of the residual stream.</param>
    /// <param name="width">Of a head.</param>
    /// <param name="hidden">Of the MLP.</param>
    public Block(int dim, int heads, int width, int hidden)
        : base(nameof(Block))
    {
        (_heads, _width) = (heads, width);
        norm1 = LayerNorm(dim);
        qkv = Linear(dim, 3 * heads * width);
        output = Linear(heads * width, dim);
        norm2 = LayerNorm(dim);
        up = Linear(dim, hidden);
        down = Linear(hidden, dim);
        RegisterComponents();
    }

    /// <summary>The norm before the attention.</summary>
    public LayerNorm AttentionNorm => norm1;

    public BlockLayers Layers => new(norm1, qkv, output, norm2, up, down);

    /// <summary>Blocks one behind the other, over windows end to end, each seeing itself alone.</summary>
    /// <param name="embedded">[tokens, dim] what goes in, before dropout.</param>
    /// <param name="offsets">[windows + 1] int64 on the CPU: where each window starts.</param>
    /// <param name="causal">A token sees itself and what came before it; else its whole window.</param>
    /// <param name="last">The norm behind the last block.</param>
    /// <param name="dropout">Where the masks come from, <see cref="DropoutSeeds.Count"/> of them; null: none.</param>
    /// <returns>[tokens, dim]</returns>
    public static Tensor Stack(
        ModuleList<Block> blocks, Tensor embedded, Tensor offsets, bool causal, LayerNorm last, DropoutSeeds? dropout)
    {
        var (x, normed) = AddNorm(zeros_like(embedded), embedded, blocks[0].AttentionNorm, dropout);
        for (int layer = 0; layer < blocks.Count; layer++)
        {
            var next = layer + 1 < blocks.Count ? blocks[layer + 1].AttentionNorm : last;
            (x, normed) = blocks[layer].Forward(x, normed, offsets, causal, next, dropout);
        }

        return normed;
    }

    /// <summary>Training: windows end to end.</summary>
    /// <param name="x">[tokens, dim] the residual stream.</param>
    /// <param name="normed">[tokens, dim] the same after this block's first norm.</param>
    /// <param name="offsets">[windows + 1]</param>
    /// <param name="causal">A token sees itself and what came before it; else its whole window.</param>
    /// <param name="next">The norm that comes after this block.</param>
    /// <returns>The residual stream behind this block, as it is and after <paramref name="next"/>.</returns>
    public (Tensor X, Tensor Normed) Forward(
        Tensor x, Tensor normed, Tensor offsets, bool causal, LayerNorm next, DropoutSeeds? dropout)
    {
        long tokens = x.size(0);
        var read = Fused.SelfAttention(qkv.Apply(normed).view(tokens, 3, _heads, _width), offsets, causal);
        (x, normed) = AddNorm(x, output.Apply(read.view(tokens, _heads * _width)), norm2, dropout);
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
        var far = matmul(q, history.Keys[layer].transpose(2, 3)) + history.Bias; // [rows, heads, beams, length] float32
        var near = (q.unsqueeze(3) * ownKeys).sum(-1).to(far.dtype); // [rows, heads, beams, tokens]
        var weights = functional.softmax(cat([far, near], -1), -1).to(v.dtype);
        long length = far.size(3);
        var read = matmul(weights.narrow(3, 0, length), history.Values[layer])
            + (weights.narrow(3, length, near.size(3)).unsqueeze(4) * ownValues).sum(3); // [rows, heads, beams, head dim]
        return AddAttentionAndFeedForward(x, read).MoveToOuterDisposeScope();
    }

    private (Tensor Q, Tensor K, Tensor V) Project(Tensor x)
    {
        var all = qkv.Apply(norm1.forward(x)).view(x.size(0), x.size(1), 3, _heads, _width).permute(2, 0, 3, 1, 4);
        return (all[0] / Math.Sqrt(_width), all[1], all[2]); // each [rows, heads, length, head dim]
    }

    private Tensor AddAttentionAndFeedForward(Tensor x, Tensor read)
    {
        x = x + output.Apply(read.transpose(1, 2).reshape(x.size(0), x.size(1), _heads * _width));
        return x + FeedForward(norm2.forward(x));
    }

    private Tensor FeedForward(Tensor normed) => down.Apply(up.Apply(normed), gelu: true);
}
