using Recsys.Retrieval.Legs.Generative;

namespace Recsys.Retrieval.Models;

/// <summary>
/// TIGER's network (Rajput et al. 2023): an encoder reads a user token and the codes of the history, each token seeing all others, and a
/// decoder writes the codes of the next item, looking back at what was read. Where TIGER's T5 knows distances, this knows the place of each
/// item, that of the next one too; else its shape is the paper's.
/// </summary>
public sealed class EncoderDecoder : SemanticDecoder
{
    private readonly TokenLayout _layout;
    private readonly int _heads, _width;
    private readonly Embedding tokens, levels, positions;
    private readonly ModuleList<Block> encoder;
    private readonly LayerNorm memoryNorm;
    private readonly ModuleList<CrossBlock> decoder;
    private readonly LayerNorm norm;
    private readonly ModuleList<Linear> heads;

    public EncoderDecoder(TokenLayout layout, GenerativeOptions options, Generator generator)
        : base(nameof(EncoderDecoder))
    {
        _layout = layout;
        Dim = options.Dim;
        (_heads, _width) = (options.Heads, options.WidthOfHead);
        int hidden = options.HiddenOfMlp;
        tokens = Embedding(layout.Vocabulary + options.Users + 1, Dim);
        levels = Embedding(layout.Depth + 1, Dim);
        positions = Embedding(options.History + 2, Dim);
        encoder = ModuleList(Enumerable.Range(0, options.Layers).Select(_ => new Block(Dim, _heads, _width, hidden)).ToArray());
        memoryNorm = LayerNorm(Dim);
        decoder = ModuleList(Enumerable.Range(0, options.Layers).Select(_ => new CrossBlock(Dim, _heads, _width, hidden)).ToArray());
        norm = LayerNorm(Dim);
        this.heads = ModuleList(layout.Sizes.Select(size => Linear(Dim, size, hasBias: false)).ToArray());
        RegisterComponents();
        this.Keep();
        Transformers.Initialise(this, options.Layers, generator);
    }

    public override int Dim { get; }

    /// <summary>Dropout masks of one forward pass.</summary>
    public static int Masks(int layers) => 2 + (5 * layers);

    /// <summary>Training: each history and its next item.</summary>
    /// <param name="prefixes">[targets, depth − 1] of <see cref="TokenLayout.Prefixes"/>. One for each history; those beyond are of the
    /// last.</param>
    /// <param name="dropout">Where the masks come from, <see cref="Masks"/> of them; null: none.</param>
    /// <returns>[targets, depth, dim]</returns>
    public Tensor Forward(EncoderInput input, Tensor prefixes, DropoutSeeds? dropout)
    {
        int rows = input.Lengths.Length, targets = (int)prefixes.size(0);
        long[] places = [.. input.Lengths.Select(length => length + 1L), .. Enumerable.Repeat(1L, targets - rows)];
        long[] offsets = [.. Enumerable.Range(0, rows).Select(row => (long)row * _layout.Depth), (long)targets * _layout.Depth];
        return Write(Encode(input, causal: false, dropout), input, prefixes, places, tensor(offsets), null, dropout);
    }

    /// <summary>
    /// Training of every item of a history but the first, each behind those before it: tokens are read with what came before them alone, so
    /// that one reading serves all. A rehearsal at a fraction of the cost, since it is not how the network reads later.
    /// </summary>
    /// <param name="input">Of each history what is behind none of its targets: all but its last item.</param>
    /// <param name="prefixes">[targets, depth − 1] as of the other; each history's targets in their order, one for each of its
    /// items.</param>
    /// <returns>[targets, depth, dim]</returns>
    public Tensor ForwardShared(EncoderInput input, Tensor prefixes, DropoutSeeds? dropout)
    {
        int depth = _layout.Depth;
        var (places, visible, offsets) = (new List<long>(), new List<long>(), new List<long> { 0 });
        foreach (int length in input.Lengths)
        {
            for (int before = 1; before <= length; before++)
            {
                places.Add(before + 1);
                visible.AddRange(Enumerable.Repeat(1L + (depth * before), depth)); // the user's token and those items'
            }

            offsets.Add(visible.Count);
        }

        while (places.Count < prefixes.size(0)) // what fills up
        {
            places.Add(1);
            visible.AddRange(Enumerable.Repeat(1L, depth));
            offsets[^1] = visible.Count;
        }

        return Write(
            Encode(input, causal: true, dropout), input, prefixes, [.. places], tensor(offsets.ToArray()), tensor(visible.ToArray()),
            dropout);
    }

    /// <summary>Reads histories once; what the decoder looks back at serves every beam and every token.</summary>
    /// <returns>[rows, dim] the state that predicts the next item's first code; and, for each layer in turn, keys and values of BOS and
    /// of the history.</returns>
    public (Tensor Hidden, HistoryCache Cache) Read(EncoderInput input)
    {
        var memory = Encode(input, causal: false, null); // [tokens, dim]
        long rows = input.Offsets.size(0) - 1;
        var starts = input.Offsets.narrow(0, 0, rows).unsqueeze(1);
        var lengths = input.Offsets.narrow(0, 1, rows).unsqueeze(1) - starts; // [rows, 1]
        var at = arange(lengths.max().item<long>(), ScalarType.Int64).unsqueeze(0); // [1, length]
        var tokensAt = (starts + at).clamp(max: memory.size(0) - 1).to(memory.device);
        var laid = memory.index_select(0, tokensAt.flatten()).view(rows, at.size(1), Dim); // [rows, length, dim]
        var bias = zeros(rows, at.size(1), ScalarType.Float32, memory.device)
            .masked_fill(at.ge(lengths).to(memory.device), float.NegativeInfinity).view(rows, 1, 1, at.size(1));
        var places = tensor(input.Lengths.Select(length => length + 1L).ToArray(), [rows, 1], device: memory.device);
        var cache = new HistoryCache(bias, positions.forward(places));
        var begin = full([rows, 1], _layout.Bos, ScalarType.Int64, memory.device);
        var x = tokens.forward(begin) + levels.weight![0] + cache.NextPosition!; // [rows, 1, dim]
        for (int layer = 0; layer < decoder.Count; layer++)
        {
            var own = new BeamCache();
            var (keys, values) = decoder[layer].Remember(laid); // [rows, heads, length, width]
            x = decoder[layer].Step(x, null, (keys, values), bias, own, 0);
            var (first, firstValues) = own.Of(0); // [rows, heads, 1, 1, width]
            cache.Add(first.squeeze(2), firstValues.squeeze(2));
            cache.Add(keys, values);
        }

        return (norm.forward(x).squeeze(1), cache);
    }

    public override Tensor Extend(Tensor codes, int level, HistoryCache history, BeamCache beams)
    {
        var x = tokens.forward(codes + _layout.Offsets[level - 1]) + levels.weight![level] + history.NextPosition!; // [rows, beams, dim]
        for (int layer = 0; layer < decoder.Count; layer++)
        {
            int begin = 2 * layer;
            x = decoder[layer].Step(
                x, (history.Keys[begin], history.Values[begin]), (history.Keys[begin + 1], history.Values[begin + 1]), history.Bias, beams,
                layer);
        }

        return norm.forward(x);
    }

    public override Tensor Logits(Tensor hidden, int level) => heads[level].Apply(hidden);

    /// <param name="memory">[tokens read, dim]</param>
    /// <param name="prefixes">[targets, depth − 1]</param>
    /// <param name="places">[targets] of the items to be written.</param>
    /// <param name="offsets">[rows + 1] where the tokens of each history's targets start.</param>
    /// <param name="visible">[tokens] of what was read, what each looks back at; null: all of its history.</param>
    /// <returns>[targets, depth, dim]</returns>
    private Tensor Write(
        Tensor memory, EncoderInput input, Tensor prefixes, long[] places, Tensor offsets, Tensor? visible, DropoutSeeds? dropout)
    {
        int depth = _layout.Depth;
        var position = positions.forward(tensor(places, device: prefixes.device)).unsqueeze(1); // [targets, 1, dim]
        var begin = full([prefixes.size(0), 1], _layout.Bos, ScalarType.Int64, prefixes.device);
        var written = tokens.forward(cat([begin, prefixes], 1)); // [targets, depth, dim]
        var embedded = (written + levels.weight!.narrow(0, 0, depth) + position).view(-1, Dim); // [tokens, dim]
        var items = arange(0, prefixes.size(0) + 1, ScalarType.Int64) * depth; // an item's tokens see each other alone
        var (x, normed) = Block.AddNorm(zeros_like(embedded), embedded, decoder[0].FirstNorm, dropout);
        for (int layer = 0; layer < decoder.Count; layer++)
        {
            var after = layer + 1 < decoder.Count ? decoder[layer + 1].FirstNorm : norm;
            (x, normed) = decoder[layer].Forward(
                x, normed, items, new PackedMemory(memory, input.Offsets, offsets, visible), after, dropout);
        }

        return normed.view(-1, depth, Dim);
    }

    private Tensor Encode(EncoderInput input, bool causal, DropoutSeeds? dropout)
    {
        var embedded = tokens.forward(input.Tokens) + levels.forward(input.Levels) + positions.forward(input.Positions);
        return Block.Stack(encoder, embedded, input.Offsets, causal, memoryNorm, dropout);
    }
}
