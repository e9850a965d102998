using Recsys.Retrieval.Models;

namespace Recsys.Bench;

/// <summary>The same decoder as TorchSharp's users write it: its own attention, dropout, norms and linear layers.</summary>
/// <param name="type">What the linear layers compute in; casts are the user's own, because TorchSharp has no autocast.</param>
internal sealed class PlainDecoder : Module<Tensor, Tensor>
{
    private readonly Embedding tokens, positions;
    private readonly ModuleList<Block> blocks;
    private readonly LayerNorm norm;
    private readonly Linear head;
    private readonly ScalarType _type;

    public PlainDecoder(ScalarType type)
        : base(nameof(PlainDecoder))
    {
        _type = type;
        tokens = Embedding(DecoderShape.Tokens, DecoderShape.Dim);
        positions = Embedding(DecoderShape.Length, DecoderShape.Dim);
        blocks = ModuleList(Enumerable.Range(0, DecoderShape.Layers).Select(_ => new Block(type)).ToArray());
        norm = LayerNorm(DecoderShape.Dim);
        head = Linear(DecoderShape.Dim, DecoderShape.Tokens, hasBias: false);
        RegisterComponents();
        this.Keep();
    }

    public override Tensor forward(Tensor input)
    {
        var x = functional.dropout(tokens.forward(input) + positions.weight!, DecoderShape.Dropout); // [rows, length, dim]
        foreach (var block in blocks)
        {
            x = block.forward(x);
        }

        return Cast(head, norm.forward(x), _type).view(-1, DecoderShape.Tokens);
    }

    /// <summary>A linear layer in one precision, its result in float32.</summary>
    internal static Tensor Cast(Linear layer, Tensor x, ScalarType type) => type == ScalarType.Float32
        ? layer.forward(x)
        : functional.linear(x.to(type), layer.weight.to(type), layer.bias?.to(type)).to(ScalarType.Float32);

    /// <summary>[rows, length, dim], causal.</summary>
    internal sealed class Block : Module<Tensor, Tensor>
    {
        private readonly ScalarType _type;
        private readonly double _dropout;
        private readonly LayerNorm norm1, norm2;
        private readonly Linear qkv, output, up, down;

        public Block(ScalarType type, double dropout = DecoderShape.Dropout)
            : base(nameof(Block))
        {
            const int dim = DecoderShape.Dim;
            (_type, _dropout) = (type, dropout);
            (norm1, norm2) = (LayerNorm(dim), LayerNorm(dim));
            (qkv, output, up, down) = (Linear(dim, 3 * dim), Linear(dim, dim), Linear(dim, 4 * dim), Linear(4 * dim, dim));
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            const int dim = DecoderShape.Dim, heads = DecoderShape.Heads;
            var (rows, length) = (x.size(0), x.size(1));
            var parts = Cast(qkv, norm1.forward(x), _type).view(rows, length, 3, heads, dim / heads).permute(2, 0, 3, 1, 4);
            // [rows, heads, length, dim / heads]
            var read = functional.scaled_dot_product_attention(parts[0], parts[1], parts[2], is_casual: true);
            x = x + functional.dropout(Cast(output, read.transpose(1, 2).reshape(rows, length, dim), _type), _dropout);
            return x + functional.dropout(Cast(down, functional.gelu(Cast(up, norm2.forward(x), _type)), _type), _dropout);
        }
    }
}
