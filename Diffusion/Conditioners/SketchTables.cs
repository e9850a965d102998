using Recsys.Diffusion.Model;

namespace Recsys.Diffusion.Conditioners;

/// <summary>
/// What pictures of a code look like on average, small and blurred: one table of pictures per level, summed like a residual codebook.
/// Starts in closed form (level 0: mean picture of each code; each further level: mean of what is left), so the denoiser need not
/// spend its first thousand steps on learning colours and outlines, and trains on with the rest. A level that is not given adds
/// nothing; no code at all is the mean of the catalogue. So a prefix's sketch is the mean picture of the items that share it.
/// </summary>
public sealed class SketchTables : Module<Tensor, Tensor>
{
    /// <summary>Longest side of a sketch in pixels.</summary>
    public const int MaxSide = 16;

    private readonly int _side;
    private readonly int _outputSide;
    private readonly ModuleList<Embedding> levels;

    /// <param name="codebookSizes">[levels] codes at each level.</param>
    /// <param name="side">Side of the stored pictures.</param>
    /// <param name="outputSide">Side of what the denoiser reads.</param>
    public SketchTables(int[] codebookSizes, int side, int outputSide)
        : base(nameof(SketchTables))
    {
        (_side, _outputSide) = (side, outputSide);
        levels = new ModuleList<Embedding>([.. codebookSizes.Select(size => Embedding(size + 1, 3 * side * side))]);
        RegisterComponents();
        this.Keep();
    }

    /// <param name="input">[batch, levels] rows of the tables; the last row of each is "not given".</param>
    /// <returns>[batch, 3, outputSide, outputSide]</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var sum = levels[0].forward(input.select(1, 0)); // [batch, 3·side·side]
        for (int level = 1; level < levels.Count; level++)
        {
            sum = sum + levels[level].forward(input.select(1, level));
        }

        var sketch = sum.reshape(-1, 3, _side, _side);
        return (
            _side == _outputSide
                ? sketch
                : functional.interpolate(sketch, size: [_outputSide, _outputSide], mode: InterpolationMode.Bilinear, align_corners: false))
            .MoveToOuterDisposeScope();
    }

    /// <summary>Sets the tables from the pictures. A code of few items is drawn towards the mean, as if it had one more item of
    /// it.</summary>
    public void Fit(CreativeTrainingData data)
    {
        using var ungraded = no_grad();
        using var scope = NewDisposeScope();
        var items = Enumerable.Range(0, data.Ids.Length).Where(i => data.Present[i]).ToArray();
        var rest = Shrunk(data, items); // [items, 3·side·side]
        var mean = rest.mean([0], keepdim: true); // [1, 3·side·side]
        rest = rest - mean;
        for (int level = 0; level < levels.Count; level++)
        {
            int size = data.CodebookSizes[level];
            var codes = tensor(items.Select(i => (long)data.Ids[i][level]).ToArray()); // [items]
            var sums = zeros(size, rest.shape[1]).index_add_(0, codes, rest, 1);
            var counts = zeros(size).index_add_(0, codes, ones(items.Length), 1);
            var means = sums / (counts + 1).unsqueeze(1); // [size, 3·side·side]
            rest = rest - means.index_select(0, codes);
            var table = cat([means, zeros(1, rest.shape[1])], 0);
            levels[level].weight!.copy_(level == 0 ? table + mean : table);
        }
    }

    private Tensor Shrunk(CreativeTrainingData data, int[] items)
    {
        const int Part = 1024;
        int stride = 3 * data.ImageSize * data.ImageSize;
        var parts = new List<Tensor>();
        foreach (var part in items.Chunk(Part))
        {
            using var scope = NewDisposeScope();
            var bytes = new byte[part.Length * stride];
            for (int i = 0; i < part.Length; i++)
            {
                data.Pixels.AsSpan(part[i] * stride, stride).CopyTo(bytes.AsSpan(i * stride));
            }

            var pictures = (tensor(bytes, [part.Length, 3, data.ImageSize, data.ImageSize]).to(ScalarType.Float32) / 127.5) - 1;
            parts.Add(functional.adaptive_avg_pool2d(pictures, [_side, _side]).flatten(1).MoveToOuterDisposeScope());
        }

        return cat(parts, 0);
    }
}
