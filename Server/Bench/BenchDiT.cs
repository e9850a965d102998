using Recsys.Torch;
using Recsys.Torch.Modules;
using static Recsys.Torch.torch;
using static Recsys.Torch.torch.nn;

namespace Recsys.Server.Bench;

/// <summary>
/// The diffusion transformer (Peebles and Xie, 2023) that `bench platform` runs on both sides: 4 layers, width 128, 28 × 28 pixels in
/// patches of 2, adaLN-Zero conditioning on time and class, batch 64.
/// </summary>
internal sealed class BenchDiT : Module
{
    public const int Batch = 64, Side = 28, Patch = 2, Tokens = Side / Patch * (Side / Patch), Dim = 128, Heads = 4, Layers = 4, Classes = 10, SamplingSteps = 4;
    private const int Frequencies = 128;

    private readonly Linear patches, time1, time2, modulation, head;
    private readonly Embedding classes;
    private readonly Parameter positions;
    private readonly ModuleList<Block> blocks;
    private readonly Tensor _offsets = (arange(0, Batch + 1, ScalarType.Int64) * Tokens).DetachFromDisposeScope();

    public BenchDiT()
        : base(nameof(BenchDiT))
    {
        patches = Linear(Patch * Patch, Dim);
        (time1, time2) = (Linear(Frequencies, Dim), Linear(Dim, Dim));
        classes = Embedding(Classes, Dim);
        positions = new Parameter(randn(Tokens, Dim) * 0.02);
        blocks = ModuleList(Enumerable.Range(0, Layers).Select(_ => new Block()).ToArray());
        modulation = Linear(Dim, 2 * Dim);
        head = Linear(Dim, Patch * Patch);
        RegisterComponents();
    }

    /// <summary>Floating-point operations of the products of one pass forward; a training step takes three times as many.</summary>
    public static double Flops => 2.0 * Batch * Tokens * ((Layers * 12 * Dim * Dim) + (2 * Patch * Patch * Dim)) + (4.0 * Batch * Tokens * Tokens * Dim * Layers);

    /// <param name="x">[batch, side, side] noisy pictures</param>
    /// <param name="time">[batch] in 0 to 1</param>
    /// <param name="label">[batch] int64</param>
    /// <returns>[batch, side, side] the predicted noise</returns>
    public Tensor Forward(Tensor x, Tensor time, Tensor label)
    {
        const int n = Side / Patch;
        var h = patches.forward(x.view(Batch, n, Patch, n, Patch).permute(0, 1, 3, 2, 4).reshape(Batch, Tokens, Patch * Patch)) + positions;
        var angles = time.unsqueeze(1) * exp(arange(0, Frequencies / 2, ScalarType.Float32) * (-Math.Log(10_000) / (Frequencies / 2))) * 1000;
        var condition = functional.silu(time2.forward(functional.silu(time1.forward(cat([angles.cos(), angles.sin()], 1)))) + classes.forward(label));
        foreach (var block in blocks)
        {
            h = block.Forward(h, condition, _offsets);
        }

        var parts = modulation.forward(condition).unsqueeze(1).chunk(2, 2);
        h = head.forward(Modulate(h, parts[0], parts[1]));
        return h.view(Batch, n, n, Patch, Patch).permute(0, 1, 3, 2, 4).reshape(Batch, Side, Side);
    }

    private static Tensor Modulate(Tensor x, Tensor shift, Tensor scale) => addcmul(shift, functional.layer_norm(x, [Dim], eps: 1e-6), scale + 1);

    private sealed class Block : Module
    {
        private readonly Linear modulation, qkv, output, up, down;

        public Block()
            : base(nameof(Block))
        {
            modulation = Linear(Dim, 6 * Dim);
            (qkv, output, up, down) = (Linear(Dim, 3 * Dim), Linear(Dim, Dim), Linear(Dim, 4 * Dim), Linear(4 * Dim, Dim));
            RegisterComponents();
        }

        public Tensor Forward(Tensor h, Tensor condition, Tensor offsets)
        {
            var m = modulation.forward(condition).unsqueeze(1).chunk(6, 2);
            var read = Fused.SelfAttention(qkv.forward(Modulate(h, m[0], m[1])).view(-1, 3, Heads, Dim / Heads), offsets, causal: false);
            h = addcmul(h, m[2], output.forward(read.view(Batch, Tokens, Dim)));
            return addcmul(h, m[5], down.forward(functional.gelu(up.forward(Modulate(h, m[3], m[4])))));
        }
    }
}
