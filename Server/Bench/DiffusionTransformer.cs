using Recsys.Torch.Kernels;

namespace Recsys.Server.Bench;

/// <summary>
/// The diffusion transformer (Peebles and Xie 2023) that is run on all sides: 4 layers, width 128, 28 × 28 pixels in patches of 2,
/// adaLN-Zero conditioning on time and class, batch 64.
/// </summary>
/// <param name="plain">As TorchSharp's users write it, in float32; otherwise as the product does.</param>
internal sealed class DiffusionTransformer : Module
{
    public const int Batch = 64, Side = 28, Patch = 2, Tokens = Side / Patch * (Side / Patch), Dim = 128, Heads = 4, Layers = 4, Classes = 10, SamplingSteps = 4;
    private const int Frequencies = 128;

    private readonly Linear patches, time1, time2, modulation, head;
    private readonly Embedding classes;
    private readonly Parameter positions;
    private readonly ModuleList<Block> blocks;

    public DiffusionTransformer(bool plain)
        : base(nameof(DiffusionTransformer))
    {
        patches = Linear(Patch * Patch, Dim);
        (time1, time2) = (Linear(Frequencies, Dim), Linear(Dim, Dim));
        classes = Embedding(Classes, Dim);
        positions = new Parameter(randn(Tokens, Dim) * 0.02);
        blocks = ModuleList(Enumerable.Range(0, Layers).Select(_ => new Block(plain)).ToArray());
        modulation = Linear(Dim, 2 * Dim);
        head = Linear(Dim, Patch * Patch);
        RegisterComponents();
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
        var angles = time.unsqueeze(1) * exp(arange(0, Frequencies / 2, ScalarType.Float32) * (-Math.Log(10_000) / (Frequencies / 2))) * 1000;
        var condition = functional.silu(time2.Apply(functional.silu(time1.Apply(cat([angles.cos(), angles.sin()], 1)))) + classes.forward(label));
        foreach (var block in blocks)
        {
            h = block.Forward(h, condition);
        }

        var parts = modulation.Apply(condition).unsqueeze(1).chunk(2, 2);
        h = head.Apply(Modulate(h, parts[0], parts[1]));
        return h.view(Batch, n, n, Patch, Patch).permute(0, 1, 3, 2, 4).reshape(Batch, Side, Side);
    }

    private static Tensor Modulate(Tensor x, Tensor shift, Tensor scale) => addcmul(shift, functional.layer_norm(x, [Dim], eps: 1e-6), scale + 1, 1);

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

        public Tensor Forward(Tensor h, Tensor condition)
        {
            var m = modulation.Apply(condition).unsqueeze(1).chunk(6, 2);
            var read = Attend(qkv.Apply(Modulate(h, m[0], m[1])));
            h = addcmul(h, m[2], output.Apply(read), 1);
            return addcmul(h, m[5], down.Apply(functional.gelu(up.Apply(Modulate(h, m[3], m[4])))), 1);
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
