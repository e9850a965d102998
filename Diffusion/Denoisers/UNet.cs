using Recsys.Diffusion.Conditioners;

namespace Recsys.Diffusion.Denoisers;

/// <summary>
/// The U-Net of Dhariwal and Nichol 2021 (ADM), small: residual blocks whose second normalisation is steered by time and condition
/// (AdaGN, their section 3), self-attention at the coarse levels, one skip connection per block, and zero-initialised last layers:
/// at the start every residual branch and the output itself are exactly 0.
/// </summary>
public sealed class UNet : Module<Tensor, Tensor, Tensor, Tensor>, IDenoiser
{
    internal const int Groups = 8;

    private readonly UNetOptions _options;
    private readonly Linear time1;
    private readonly Linear time2;
    private readonly Conv2d input;
    private readonly ModuleList<DownLevel> down = [];
    private readonly Middle middle;
    private readonly ModuleList<UpLevel> up = [];
    private readonly GroupNorm norm;
    private readonly Conv2d output;

    /// <param name="channels">Channels of the pictures (or latents) that it denoises.</param>
    /// <param name="hint">Channels of <see cref="Cond.Concat"/>.</param>
    public UNet(UNetOptions options, int channels, int hint = 0)
        : base(nameof(UNet))
    {
        _options = options;
        int dim = options.EmbeddingDim;
        time1 = Linear(options.Channels, dim);
        time2 = Linear(dim, dim);
        input = Conv2d(channels + hint, options.Channels, 3, padding: 1);

        int width = options.Channels, deepest = options.Multipliers.Length - 1;
        var skips = new Stack<int>();
        for (int level = 0; level <= deepest; level++)
        {
            int wide = options.Channels * options.Multipliers[level];
            down.Add(new DownLevel(options, width, wide, options.AttentionLevels.Contains(level), last: level == deepest));
            width = wide;
            skips.Push(wide);
        }

        middle = new Middle(options, width);
        for (int level = deepest; level >= 0; level--)
        {
            int wide = options.Channels * options.Multipliers[level];
            up.Add(new UpLevel(options, width, skips.Pop(), wide, options.AttentionLevels.Contains(level), last: level == 0));
            width = wide;
        }

        norm = Normalisation(width);
        output = Zeroed(Conv2d(width, channels, 3, padding: 1));
        RegisterComponents();
    }

    public int ConditionDim => _options.EmbeddingDim;

    public Tensor Predict(Tensor x, Tensor time, Cond cond) =>
        call(cond.Concat is null ? x : cat([x, cond.Concat], 1), time, cond.Vec);

    /// <param name="x">[batch, channels + hint, side, side]; the side is divisible by 2 for each level after the first.</param>
    /// <param name="time">[batch]</param>
    /// <param name="condition">[batch, EmbeddingDim]</param>
    public override Tensor forward(Tensor x, Tensor time, Tensor condition)
    {
        using var scope = NewDisposeScope();
        var embedding = time2.Apply(functional.silu(time1.Apply(TimeEmbedding.Of(time, _options.Channels)))) + condition;
        embedding = functional.silu(embedding); // [batch, dim], the activation before every block's own linear layer

        var h = input.Apply(x);
        var skips = new Stack<Tensor>();
        foreach (var level in down)
        {
            h = level.Run(h, embedding, skips);
        }

        h = middle.forward(h, embedding);
        foreach (var level in up)
        {
            h = level.Run(h, embedding, skips);
        }

        h = output.Apply(functional.silu(Norm(norm, h)));
        return h.to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    /// <summary>Statistics over whole groups need float32, whatever the convolutions around it compute in.</summary>
    internal static Tensor Norm(GroupNorm norm, Tensor h) => norm.forward(h.to(ScalarType.Float32));

    /// <summary>With gains of 1 and biases of 0, said here because TorchSharp 0.107 leaves them as memory was.</summary>
    internal static GroupNorm Normalisation(int width)
    {
        var norm = GroupNorm(Groups, width);
        using var scope = NewDisposeScope(); // of what init gives back
        init.ones_(norm.weight!);
        init.zeros_(norm.bias!);
        return norm;
    }

    internal static Conv2d Zeroed(Conv2d convolution)
    {
        using var scope = NewDisposeScope();
        init.zeros_(convolution.weight);
        init.zeros_(convolution.bias!);
        return convolution;
    }
}

/// <summary>GN, SiLU, conv, AdaGN, SiLU, conv (zero at the start), and the input added.</summary>
internal sealed class ResidualBlock : Module<Tensor, Tensor, Tensor>
{
    private readonly GroupNorm norm1;
    private readonly Conv2d conv1;
    private readonly Linear steer;
    private readonly GroupNorm norm2;
    private readonly Conv2d conv2;
    private readonly Conv2d? skip;

    public ResidualBlock(UNetOptions options, int from, int to)
        : base(nameof(ResidualBlock))
    {
        norm1 = UNet.Normalisation(from);
        conv1 = Conv2d(from, to, 3, padding: 1);
        steer = Linear(options.EmbeddingDim, 2 * to);
        norm2 = UNet.Normalisation(to);
        conv2 = UNet.Zeroed(Conv2d(to, to, 3, padding: 1));
        skip = from == to ? null : Conv2d(from, to, 1);
        RegisterComponents();
    }

    /// <param name="x">[batch, from, side, side]</param>
    /// <param name="embedding">[batch, dim]</param>
    public override Tensor forward(Tensor x, Tensor embedding)
    {
        using var scope = NewDisposeScope();
        var h = conv1.Apply(functional.silu(UNet.Norm(norm1, x)));
        var halves = steer.Apply(embedding).to(ScalarType.Float32).unsqueeze(-1).unsqueeze(-1).chunk(2, 1); // 2 × [batch, to, 1, 1]
        h = (UNet.Norm(norm2, h) * (halves[0] + 1)) + halves[1]; // AdaGN: GN(h) (1 + scale) + shift
        h = conv2.Apply(functional.silu(h));
        return ((skip is null ? x : skip.Apply(x)) + h).MoveToOuterDisposeScope();
    }
}

/// <summary>Self-attention over all places of a level, zero at the start.</summary>
internal sealed class SpatialAttention : Module<Tensor, Tensor>
{
    private readonly int heads;
    private readonly GroupNorm norm;
    private readonly Conv2d qkv;
    private readonly Conv2d project;

    public SpatialAttention(int width, int headChannels)
        : base(nameof(SpatialAttention))
    {
        heads = width / headChannels;
        norm = UNet.Normalisation(width);
        qkv = Conv2d(width, 3 * width, 1);
        project = UNet.Zeroed(Conv2d(width, width, 1));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        long batch = x.shape[0], width = x.shape[1], side = x.shape[2];
        var parts = qkv.Apply(UNet.Norm(norm, x))
            .reshape(batch, 3, heads, width / heads, side * side).permute(1, 0, 2, 4, 3); // [3, batch, heads, places, head]
        var (q, k, v) = (parts.select(0, 0), parts.select(0, 1), parts.select(0, 2));
        // [batch, heads, places, places]
        var weights = functional.softmax(
            MixedPrecision.Product(q, k.transpose(-2, -1)).to(ScalarType.Float32) / Math.Sqrt(width / heads), -1);
        var mixed = MixedPrecision.Product(weights, v).transpose(-2, -1).reshape(batch, width, side, side);
        return (x + project.Apply(mixed)).MoveToOuterDisposeScope();
    }
}

/// <summary>Residual blocks of one level on the way down, each leaving a skip, then half the side.</summary>
internal sealed class DownLevel : Module
{
    private readonly ModuleList<ResidualBlock> blocks = [];
    private readonly ModuleList<SpatialAttention> attention = [];
    private readonly Conv2d? half;

    public DownLevel(UNetOptions options, int from, int to, bool attends, bool last)
        : base(nameof(DownLevel))
    {
        for (int i = 0; i < options.Blocks; i++)
        {
            blocks.Add(new ResidualBlock(options, i == 0 ? from : to, to));
            if (attends)
            {
                attention.Add(new SpatialAttention(to, options.HeadChannels));
            }
        }

        half = last ? null : Conv2d(to, to, 3, stride: 2, padding: 1);
        RegisterComponents();
    }

    public Tensor Run(Tensor h, Tensor embedding, Stack<Tensor> skips)
    {
        for (int i = 0; i < blocks.Count; i++)
        {
            h = blocks[i].forward(h, embedding);
            h = attention.Count == 0 ? h : attention[i].forward(h);
            skips.Push(h);
        }

        return half is null ? h : half.Apply(h);
    }
}

/// <summary>The deepest level: a residual block, attention, and perhaps a second block.</summary>
internal sealed class Middle : Module<Tensor, Tensor, Tensor>
{
    private readonly ModuleList<ResidualBlock> blocks = [];
    private readonly SpatialAttention attention;

    public Middle(UNetOptions options, int width)
        : base(nameof(Middle))
    {
        for (int i = 0; i < options.MiddleBlocks; i++)
        {
            blocks.Add(new ResidualBlock(options, width, width));
        }

        attention = new SpatialAttention(width, options.HeadChannels);
        RegisterComponents();
    }

    public override Tensor forward(Tensor h, Tensor embedding)
    {
        h = attention.forward(blocks[0].forward(h, embedding));
        return blocks.Count == 1 ? h : blocks[1].forward(h, embedding);
    }
}

/// <summary>Residual blocks of one level on the way up, each reading a skip, then twice the side.</summary>
internal sealed class UpLevel : Module
{
    private readonly ModuleList<ResidualBlock> blocks = [];
    private readonly ModuleList<SpatialAttention> attention = [];
    private readonly Conv2d? twice;

    public UpLevel(UNetOptions options, int from, int skip, int to, bool attends, bool last)
        : base(nameof(UpLevel))
    {
        for (int i = 0; i < options.Blocks; i++)
        {
            blocks.Add(new ResidualBlock(options, (i == 0 ? from : to) + skip, to));
            if (attends)
            {
                attention.Add(new SpatialAttention(to, options.HeadChannels));
            }
        }

        twice = last ? null : Conv2d(to, to, 3, padding: 1);
        RegisterComponents();
    }

    public Tensor Run(Tensor h, Tensor embedding, Stack<Tensor> skips)
    {
        for (int i = 0; i < blocks.Count; i++)
        {
            h = blocks[i].forward(cat([h, skips.Pop()], 1), embedding);
            h = attention.Count == 0 ? h : attention[i].forward(h);
        }

        return twice is null ? h : twice.Apply(functional.interpolate(h, scale_factor: [2, 2], mode: InterpolationMode.Nearest));
    }
}
