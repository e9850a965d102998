using Recsys.Torch;
using Recsys.Torch.Modules;
using static Recsys.Torch.torch;
using static Recsys.Torch.torch.nn;

namespace Recsys.Server.Bench;

/// <summary>The decoder that `bench platform` trains on both sides: 4 layers, width 128, 11,004 tokens in 131 causal rows, dropout .3.</summary>
internal sealed class BenchTransformer : Module
{
    public const int Rows = 131, Length = 84, Dim = 128, Heads = 4, Layers = 4, Tokens = 256;
    public const double P = 0.3;

    private readonly Embedding tokens, positions;
    private readonly ModuleList<Block> blocks;
    private readonly LayerNorm norm;
    private readonly Linear head;
    private readonly Random _random = new(7);

    public BenchTransformer()
        : base(nameof(BenchTransformer))
    {
        tokens = Embedding(Tokens, Dim);
        positions = Embedding(Length, Dim);
        blocks = ModuleList(Enumerable.Range(0, Layers).Select(_ => new Block()).ToArray());
        norm = LayerNorm(Dim);
        head = Linear(Dim, Tokens, hasBias: false);
        RegisterComponents();
    }

    /// <summary>Floating-point operations of one training step: 6 for each weight of a product and token, and the attention's own.</summary>
    public static double Flops => 6.0 * Rows * Length * ((Layers * 12 * Dim * Dim) + (Dim * Tokens)) + (12.0 * Rows * Length * Length / 2 * Dim * Layers);

    /// <param name="input">[rows, length]</param>
    /// <param name="offsets">[rows + 1]</param>
    /// <returns>[rows × length, tokens]</returns>
    public Tensor Forward(Tensor input, Tensor offsets)
    {
        var x = Fused.Dropout((tokens.forward(input) + positions.weight!).view(-1, Dim), P, _random.NextInt64());
        var normed = blocks[0].First.forward(x);
        for (int layer = 0; layer < Layers; layer++)
        {
            (x, normed) = blocks[layer].Forward(x, normed, offsets, layer + 1 < Layers ? blocks[layer + 1].First : norm, _random);
        }

        return head.forward(normed);
    }

    private sealed class Block : Module
    {
        private readonly LayerNorm norm1, norm2;
        private readonly Linear qkv, output, up, down;

        public Block()
            : base(nameof(Block))
        {
            (norm1, norm2) = (LayerNorm(Dim), LayerNorm(Dim));
            (qkv, output, up, down) = (Linear(Dim, 3 * Dim), Linear(Dim, Dim), Linear(Dim, 4 * Dim), Linear(4 * Dim, Dim));
            RegisterComponents();
        }

        public LayerNorm First => norm1;

        public (Tensor X, Tensor Normed) Forward(Tensor x, Tensor normed, Tensor offsets, LayerNorm next, Random random)
        {
            var read = Fused.SelfAttention(qkv.forward(normed).view(-1, 3, Heads, Dim / Heads), offsets, causal: true);
            (x, normed) = Fused.AddDropoutNorm(x, output.forward(read.view(-1, Dim)), norm2, P, random.NextInt64());
            return Fused.AddDropoutNorm(x, down.forward(functional.gelu(up.forward(normed))), next, P, random.NextInt64());
        }
    }
}
