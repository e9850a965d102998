using Recsys.Retrieval.Models;

namespace Recsys.Bench;

/// <summary>Shape of the generative leg's training step: 131 windows of 21 items of 4 tokens, width 128, a trunk and a head of 2 layers
/// each.</summary>
internal static class GenerativeShape
{
    public const int Rows = 131, Length = 21, Items = Rows * Length, Depth = 4, Dim = DecoderShape.Dim, Layers = 2, Codes = 256;

    /// <summary>Floating-point operations of one training step: 6 for each weight of a product and token; the attention's own are
    /// few.</summary>
    public static double Flops => 6.0 * Items * Dim * ((Layers * 12 * Dim * (1 + Depth)) + (Codes * Depth));
}

/// <summary>The generative leg's decoder as TorchSharp's users write it, on windows of equal length.</summary>
/// <param name="type">What the linear layers compute in.</param>
internal sealed class PlainGenerative : Module<Tensor, Tensor>
{
    private readonly Embedding tokens, positions, written;
    private readonly ModuleList<PlainDecoder.Block> trunk, depth;
    private readonly LayerNorm middle, norm;
    private readonly ModuleList<Linear> heads;
    private readonly ScalarType _type;

    public PlainGenerative(ScalarType type)
        : base(nameof(PlainGenerative))
    {
        const int vocabulary = GenerativeShape.Depth * GenerativeShape.Codes, dim = GenerativeShape.Dim;
        _type = type;
        (tokens, positions, written) = (Embedding(vocabulary, dim), Embedding(GenerativeShape.Length, dim), Embedding(vocabulary, dim));
        ModuleList<PlainDecoder.Block> Blocks(double dropout) => ModuleList(
            Enumerable.Range(0, GenerativeShape.Layers).Select(_ => new PlainDecoder.Block(type, dropout)).ToArray());
        (trunk, middle, depth, norm) = (Blocks(DecoderShape.Dropout), LayerNorm(dim), Blocks(0), LayerNorm(dim));
        heads = ModuleList(
            Enumerable.Range(0, GenerativeShape.Depth).Select(_ => Linear(dim, GenerativeShape.Codes, hasBias: false)).ToArray());
        RegisterComponents();
        this.Keep();
    }

    /// <summary>−log P of items, each behind those before it.</summary>
    /// <param name="codes">[rows, length + 1, depth] tokens within their levels.</param>
    public override Tensor forward(Tensor codes)
    {
        const int length = GenerativeShape.Length, levels = GenerativeShape.Depth;
        var all = codes + (arange(0, levels, ScalarType.Int64) * GenerativeShape.Codes);
        var read = tokens.forward(all.narrow(1, 0, length)).sum(2) + positions.weight!; // [rows, length, dim]
        var states = Through(trunk, functional.dropout(read, DecoderShape.Dropout), middle).view(-1, 1, GenerativeShape.Dim);
        var own = written.forward(all.narrow(1, 1, length).narrow(2, 0, levels - 1)).view(-1, levels - 1, GenerativeShape.Dim);
        var items = Through(depth, cat([states, own], 1), norm).unbind(1); // [depth] each [items, dim]
        var targets = codes.narrow(1, 1, length).reshape(-1, levels).unbind(1);
        var losses = heads.Select((head, level) =>
            functional.cross_entropy(PlainDecoder.Cast(head, items[level], _type), targets[level]));
        return losses.Aggregate((sum, loss) => sum + loss);
    }

    private static Tensor Through(ModuleList<PlainDecoder.Block> blocks, Tensor x, LayerNorm last) =>
        last.forward(blocks.Aggregate(x, (states, block) => block.forward(states)));
}
