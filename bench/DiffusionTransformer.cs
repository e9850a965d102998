using Recsys.Retrieval.Models;
using Recsys.Torch.Kernels;

namespace Recsys.Bench;

/// <summary>
/// The diffusion transformer (Peebles and Xie 2023) that is run on all sides: 4 layers, width 128, 28 × 28 pixels in patches of 2,
/// adaLN-Zero conditioning on time and class, batch 64.
/// </summary>
/// <param name="plain">As TorchSharp's users write it, in float32, which is the faster for them here; otherwise by this engine's
/// kernels.</param>
internal sealed class DiffusionTransformer : Module
{
    public const int Batch = 64, Side = 28, Patch = 2, Tokens = Side / Patch * (Side / Patch);
    public const int Dim = 128, Heads = 4, Layers = 4, Classes = 10, SamplingSteps = 4;
    private const int Frequencies = 128;

    private readonly Linear patches, time1, time2, modulation, head;
    private readonly Embedding classes;
    private readonly Parameter positions;
    private readonly ModuleList<Block> blocks;
    private readonly LayerNorm unit; // gains of 1, biases of 0
    private readonly bool _plain;

    public DiffusionTransformer(bool plain)
        : base(nameof(DiffusionTransformer))
    {
        _plain = plain;
        patches = Linear(Patch * Patch, Dim);
        (time1, time2) = (Linear(Frequencies, Dim), Linear(Dim, Dim));
        classes = Embedding(Classes, Dim);
        positions = new Parameter(randn(Tokens, Dim) * 0.02);
        blocks = ModuleList(Enumerable.Range(0, Layers).Select(_ => new Block(plain)).ToArray());
        modulation = Linear(Dim, 2 * Dim);
        head = Linear(Dim, Patch * Patch);
        unit = LayerNorm(Dim, eps: 1e-6);
        RegisterComponents();
        (unit.weight!.requires_grad, unit.bias!.requires_grad) = (false, false);
        this.Keep();
    }

    /// <summary>Floating-point operations of the products of one pass forward; a training step takes three times as many.</summary>
    public static double Flops =>
        (2.0 * Batch * Tokens * ((Layers * 12 * Dim * Dim) + (2 * Patch * Patch * Dim))) + (4.0 * Batch * Tokens * Tokens * Dim * Layers);

    /// <param name="x">[batch, side, side] noisy pictures</param>
    /// <param name="time">[batch] in 0 to 1</param>
    /// <param name="label">[batch] int64</param>
    /// <returns>[batch, side, side] the predicted noise</returns>
    public Tensor Forward(Tensor x, Tensor time, Tensor label)
    {
        const int n = Side / Patch;
        var h = patches.Apply(x.view(Batch, n, Patch, n, Patch).permute(0, 1, 3, 2, 4).reshape(Batch, Tokens, Patch * Patch)) + positions;
        var angles = time.unsqueeze(1) * exp(
            arange(0, Frequencies / 2, ScalarType.Float32) * (-Math.Log(10_000) / (Frequencies / 2))) * 1000;
        var condition = functional.silu(
            time2.Apply(functional.silu(time1.Apply(cat([angles.cos(), angles.sin()], 1)))) + classes.forward(label));
        var last = modulation.Apply(condition).chunk(2, 1);
        h = head.Apply(_plain ? Blocks(h, condition, last) : FusedBlocks(h, condition, last));
        return h.view(Batch, n, n, Patch, Patch).permute(0, 1, 3, 2, 4).reshape(Batch, Side, Side);
    }

    private Tensor Blocks(Tensor h, Tensor condition, Tensor[] last)
    {
        foreach (var block in blocks)
        {
            h = block.Plain(h, condition);
        }

        return Modulate(h, last[0].unsqueeze(1), last[1].unsqueeze(1));
    }

    // Each block's seams: its own attention and feed-forward, each with the norm of what comes behind it.
    private Tensor FusedBlocks(Tensor h, Tensor condition, Tensor[] last)
    {
        var parts = blocks.Select(block => block.Modulation(condition)).ToArray(); // each 6 × [batch, dim]
        var normed = Modulate(h, parts[0][0].unsqueeze(1), parts[0][1].unsqueeze(1));
        for (int layer = 0; layer < Layers; layer++)
        {
            var (m, next) = (parts[layer], layer + 1 < Layers ? parts[layer + 1] : last);
            (h, normed) = Seam(h, blocks[layer].Attention(normed), m[2], m[3], m[4]);
            (h, normed) = Seam(h, blocks[layer].FeedForward(normed), m[5], next[0], next[1]);
        }

        return normed;
    }

    private (Tensor H, Tensor Normed) Seam(Tensor h, Tensor branch, Tensor gate, Tensor shift, Tensor scale)
    {
        (h, var normed) = Fused.AddDropoutNorm(h, branch * gate.unsqueeze(1), unit);
        return (h, addcmul(shift.unsqueeze(1), normed, scale.unsqueeze(1) + 1, 1));
    }

    private static Tensor Modulate(Tensor x, Tensor shift, Tensor scale) =>
        addcmul(shift, functional.layer_norm(x, [Dim], eps: 1e-6), scale + 1, 1);

    private sealed class Block : Module
    {
        private static readonly Tensor Offsets = (arange(0, Batch + 1, ScalarType.Int64) * Tokens).DetachFromDisposeScope();
        private readonly bool _plain;
        private readonly Linear modulation, qkv, output, up, down;

        public Block(bool plain)
            : base(nameof(Block))
        {
            _plain = plain;
            modulation = Linear(Dim, 6 * Dim);
            (qkv, output, up, down) = (Linear(Dim, 3 * Dim), Linear(Dim, Dim), Linear(Dim, 4 * Dim), Linear(4 * Dim, Dim));
            RegisterComponents();
        }

        public Tensor[] Modulation(Tensor condition) => modulation.Apply(condition).chunk(6, 1);

        public Tensor Attention(Tensor normed) => output.Apply(Attend(qkv.Apply(normed)));

        public Tensor FeedForward(Tensor normed) => down.Apply(up.Apply(normed), gelu: true);

        public Tensor Plain(Tensor h, Tensor condition)
        {
            var m = Array.ConvertAll(Modulation(condition), part => part.unsqueeze(1));
            h = addcmul(h, m[2], Attention(Modulate(h, m[0], m[1])), 1);
            return addcmul(h, m[5], FeedForward(Modulate(h, m[3], m[4])), 1);
        }

        private Tensor Attend(Tensor packed)
        {
            if (!_plain)
            {
                return Fused.SelfAttention(packed.view(-1, 3, Heads, Dim / Heads), Offsets, causal: false).view(Batch, Tokens, Dim);
            }

            var parts = packed.view(Batch, Tokens, 3, Heads, Dim / Heads).permute(2, 0, 3, 1, 4);
            return functional.scaled_dot_product_attention(parts[0], parts[1], parts[2]).transpose(1, 2).reshape(Batch, Tokens, Dim);
        }
    }
}
