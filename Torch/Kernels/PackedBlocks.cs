namespace Recsys.Torch.Kernels;

/// <summary>
/// Transformer blocks that are read forward alone on a CPU, in float32 or with products of bf16 (decoding.cpp):
/// x + output(attention(qkv(norm(x)))), then x + down(GELU(up(norm(x)))), and a norm behind the last. A row is one token; it looks at any
/// rows that were read before it, whosever they are, so that all prefixes of a search are one batch. What comes out of a row does not
/// depend on the rows beside it, to the last bit.
/// A copy of the weights; immutable, and safe to read from many threads.
/// </summary>
public sealed class PackedBlocks : IDisposable
{
    private readonly PackedLinear[] _layers; // [blocks × 4] as in BlockLayers
    private readonly Tensor[] _norms; // [(blocks × 2 + 1) × 2] gain and shift
    private readonly BlockWeights[] _weights;
    private readonly int _heads, _width, _hidden;
    private readonly float _epsilon;
    private readonly bool _half;

    /// <param name="last">The norm behind the last block.</param>
    /// <param name="heads">Of each block's attention.</param>
    /// <param name="half">As of <see cref="PackedLinear"/>.</param>
    /// <exception cref="TorchException">The blocks are not alike.</exception>
    public PackedBlocks(IReadOnlyList<BlockLayers> blocks, LayerNorm last, int heads, bool half = false)
    {
        _half = half;
        using var _ = no_grad();
        _layers = [.. blocks.SelectMany(block => new[] { block.Qkv, block.Output, block.Up, block.Down })
            .Select(layer => new PackedLinear(layer, half))];
        LayerNorm[] norms = [.. blocks.SelectMany(block => new[] { block.AttentionNorm, block.MlpNorm }), last];
        _norms = [.. norms.SelectMany(norm => new[] { norm.weight!, norm.bias! })
            .Select(values => values.detach().clone().DetachFromDisposeScope())];
        (Dim, _heads, _width, _hidden) = (_layers[0].Inputs, heads, _layers[1].Inputs / heads, _layers[2].Outputs);
        _epsilon = (float)last.eps;
        int all = heads * _width;
        if (_layers.Chunk(4).Any(of => !of.SelectMany(layer => new[] { layer.Inputs, layer.Outputs })
                .SequenceEqual([Dim, 3 * all, all, Dim, Dim, _hidden, _hidden, Dim])) || norms.Any(norm => norm.eps != last.eps))
        {
            throw new TorchException($"The {blocks.Count} blocks are not alike, or no multiple of {heads} heads wide.");
        }

        _weights = [.. blocks.Select((_, block) =>
        {
            var (at, norm) = (_layers[(4 * block)..], _norms[(4 * block)..]);
            return new BlockWeights
            {
                Gain1 = norm[0].Address(), Shift1 = norm[1].Address(), Gain2 = norm[2].Address(), Shift2 = norm[3].Address(),
                Qkv = at[0].Panels, QkvBias = at[0].Bias, Output = at[1].Panels, OutputBias = at[1].Bias,
                Up = at[2].Panels, UpBias = at[2].Bias, Down = at[3].Panels, DownBias = at[3].Bias,
            };
        })];
    }

    /// <summary>Width of the residual stream.</summary>
    public int Dim { get; }

    /// <summary>Numbers that a row leaves for later ones to look at: its keys and values in every block.</summary>
    internal int Remembered => _weights.Length * 2 * _heads * _width;

    /// <summary>Reads rows.</summary>
    /// <param name="x">[rows × dim] what goes in; becomes what comes out of the norm behind the last block.</param>
    /// <param name="rows">What was read before; gets these rows.</param>
    /// <param name="offsets">[rows + 1] where the rows that each looks at start in <paramref name="seen"/>.</param>
    /// <param name="seen">Numbers of rows in the order in which they were read, each row's own included.</param>
    /// <param name="wanted">The rows of this call whose results are asked for, empty: all. Of others what is in x means nothing.</param>
    /// <exception cref="TorchException">A row looks at none, or at one that there is not.</exception>
    public unsafe void Read(
        Span<float> x, ReadRows rows, ReadOnlySpan<long> offsets, ReadOnlySpan<int> seen, ReadOnlySpan<int> wanted = default)
    {
        int count = offsets.Length - 1, first = rows.Count;
        Check(x.Length == count * Dim && offsets[0] == 0 && offsets[^1] == seen.Length, "values, offsets and rows do not fit together");
        rows.Add(count, Remembered);
        for (int row = 0; row < count; row++)
        {
            Check(offsets[row + 1] > offsets[row], "a row looks at none");
        }

        foreach (int other in seen)
        {
            Check((uint)other < (uint)rows.Count, "a row looks at one that was not read");
        }

        foreach (int row in wanted)
        {
            Check((uint)row < (uint)count, "a row is wanted that there is not");
        }

        fixed (float* values = x, store = rows.Memory)
        fixed (long* starts = offsets)
        fixed (int* others = seen, asked = wanted)
        fixed (BlockWeights* blocks = _weights)
        {
            var call = new BlocksCall
            {
                Rows = count, Dim = Dim, Heads = _heads, Width = _width, Hidden = _hidden, Layers = _weights.Length, First = first,
                Blocks = (nint)blocks, Gain = _norms[^2].Address(), Shift = _norms[^1].Address(), Epsilon = _epsilon,
                Store = (nint)store, Offsets = (nint)starts, Seen = (nint)others,
                Wanted = (nint)asked, WantedCount = wanted.Length, Half = _half ? 1 : 0,
            };
            KernelLibrary.Blocks(call, (nint)values);
        }
    }

    public void Dispose()
    {
        Array.ForEach(_layers, layer => layer.Dispose());
        Array.ForEach(_norms, values => values.Dispose());
    }

    private static void Check(bool holds, string fault)
    {
        if (!holds)
        {
            throw new TorchException($"Packed blocks: {fault}.");
        }
    }
}

/// <summary>The layers of one block, each norm before its branch.</summary>
/// <param name="Qkv">dim to 3 · heads · width.</param>
/// <param name="Output">heads · width to dim.</param>
/// <param name="Up">dim to hidden.</param>
/// <param name="Down">hidden to dim.</param>
public sealed record BlockLayers(LayerNorm AttentionNorm, Linear Qkv, Linear Output, LayerNorm MlpNorm, Linear Up, Linear Down);

/// <summary>Keys and values of the rows that <see cref="PackedBlocks"/> have read. One thread's.</summary>
public sealed class ReadRows : IDisposable
{
    /// <summary>Rows that were read.</summary>
    public int Count { get; private set; }

    internal float[] Memory { get; private set; } = [];

    internal void Add(int rows, int width)
    {
        int needed = checked((Count + rows) * width);
        if (needed > Memory.Length)
        {
            float[] larger = System.Buffers.ArrayPool<float>.Shared.Rent(Math.Max(needed, 2 * Memory.Length));
            Memory.AsSpan(0, Count * width).CopyTo(larger);
            Dispose();
            Memory = larger;
        }

        Count += rows;
    }

    public void Dispose()
    {
        if (Memory.Length > 0)
        {
            System.Buffers.ArrayPool<float>.Shared.Return(Memory);
            Memory = [];
        }
    }
}
