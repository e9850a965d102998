using Recsys.Retrieval.Models;
using Recsys.Torch.Kernels;

namespace Recsys.Bench;

/// <summary>Shape of the decoder that is trained on all sides: 4 layers, width 128, 11,004 tokens in 131 causal rows, dropout .3.</summary>
internal static class DecoderShape
{
    public const int Rows = 131, Length = 84, Dim = 128, Heads = 4, Layers = 4, Tokens = 256;
    public const double Dropout = 0.3;

    /// <summary>Floating-point operations of one training step: 6 for each weight of a product and token, and the attention's
    /// own.</summary>
    public static double Flops =>
        (6.0 * Rows * Length * ((Layers * 12 * Dim * Dim) + (Dim * Tokens))) + (12.0 * Rows * Length * Length / 2 * Dim * Layers);
}

/// <summary>The decoder as the product writes it.</summary>
internal sealed class FusedDecoder : Module<Tensor, Tensor>
{
    private readonly Embedding tokens, positions;
    private readonly ModuleList<Block> blocks;
    private readonly LayerNorm norm;
    private readonly Linear head;
    private readonly Random _random = new(7);
    private readonly Tensor _offsets = (arange(0, DecoderShape.Rows + 1, ScalarType.Int64) * DecoderShape.Length).DetachFromDisposeScope();

    public FusedDecoder()
        : base(nameof(FusedDecoder))
    {
        tokens = Embedding(DecoderShape.Tokens, DecoderShape.Dim);
        positions = Embedding(DecoderShape.Length, DecoderShape.Dim);
        blocks = ModuleList(Enumerable.Range(0, DecoderShape.Layers).Select(_ => new Block()).ToArray());
        norm = LayerNorm(DecoderShape.Dim);
        head = Linear(DecoderShape.Dim, DecoderShape.Tokens, hasBias: false);
        RegisterComponents();
        this.Keep();
    }

    /// <param name="input">[rows, length]</param>
    /// <returns>[rows × length, tokens]</returns>
    public override Tensor forward(Tensor input)
    {
        var embedded = (tokens.forward(input) + positions.weight!).view(-1, DecoderShape.Dim);
        var (x, normed) = Fused.AddDropoutNorm(zeros_like(embedded), embedded, blocks[0].First, DecoderShape.Dropout, _random.NextInt64());
        for (int layer = 0; layer < DecoderShape.Layers; layer++)
        {
            (x, normed) = blocks[layer].Run(x, normed, _offsets, layer + 1 < DecoderShape.Layers ? blocks[layer + 1].First : norm, _random);
        }

        return head.Apply(normed);
    }

    private sealed class Block : Module
    {
        private readonly LayerNorm norm1, norm2;
        private readonly Linear qkv, output, up, down;

        public Block()
            : base(nameof(Block))
        {
            const int dim = DecoderShape.Dim;
            (norm1, norm2) = (LayerNorm(dim), LayerNorm(dim));
            (qkv, output, up, down) = (Linear(dim, 3 * dim), Linear(dim, dim), Linear(dim, 4 * dim), Linear(4 * dim, dim));
            RegisterComponents();
        }

        public LayerNorm First => norm1;

        public (Tensor X, Tensor Normed) Run(Tensor x, Tensor normed, Tensor offsets, LayerNorm next, Random random)
        {
            const int dim = DecoderShape.Dim, heads = DecoderShape.Heads;
            var read = Fused.SelfAttention(qkv.Apply(normed).view(-1, 3, heads, dim / heads), offsets, causal: true);
            (x, normed) = Fused.AddDropoutNorm(x, output.Apply(read.view(-1, dim)), norm2, DecoderShape.Dropout, random.NextInt64());
            return Fused.AddDropoutNorm(x, down.Apply(up.Apply(normed), gelu: true), next, DecoderShape.Dropout, random.NextInt64());
        }
    }
}
