
namespace Recsys.Diffusion.Conditioners;

/// <summary>
/// A semantic ID as a condition: one embedding table per level, summed. A level that is not given (a prefix, or a dropped suffix) has
/// a learned row of its own, so fewer codes mean a coarser condition, and no code at all is the null condition of classifier-free guidance.
/// </summary>
public sealed class SemanticIdConditioner : Module<Tensor, Tensor>, IConditioner<SemanticId>
{
    private readonly int[] _sizes;
    private readonly double _dropAll;
    private readonly double _dropLevel;
    private readonly ModuleList<Embedding> levels;
    private readonly SketchTables? sketch;

    /// <param name="codebookSizes">[levels] codes at each level.</param>
    /// <param name="dim">Width of the condition.</param>
    /// <param name="dropAll">Probability that training sees no code.</param>
    /// <param name="dropLevel">Probability, for each level but the first, that training sees only the codes before it.</param>
    /// <param name="sketch">Gives <see cref="Cond.Concat"/>; owned by this.</param>
    public SemanticIdConditioner(int[] codebookSizes, int dim, double dropAll = .1, double dropLevel = .1, SketchTables? sketch = null)
        : base(nameof(SemanticIdConditioner))
    {
        (_sizes, _dropAll, _dropLevel) = (codebookSizes, dropAll, dropLevel);
        this.sketch = sketch;
        levels = new ModuleList<Embedding>([.. codebookSizes.Select(size => Embedding(size + 1, dim))]);
        RegisterComponents();
        this.Keep();
    }

    /// <summary>The average pictures of codes; null where the recipe has none.</summary>
    public SketchTables? Sketch => sketch;

    public Device Device => levels[0].weight!.device;

    /// <summary>No code at all.</summary>
    public SemanticId Null => default;

    public Cond Encode(IReadOnlyList<SemanticId> requests)
    {
        using var rows = Rows(requests);
        return new Cond(call(rows), sketch?.forward(rows));
    }

    /// <param name="input">[batch, levels] rows of the tables.</param>
    /// <returns>[batch, dim]</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var sum = levels[0].forward(input.select(1, 0)); // [batch, dim]
        for (int level = 1; level < _sizes.Length; level++)
        {
            sum = sum + levels[level].forward(input.select(1, level));
        }

        return sum.MoveToOuterDisposeScope();
    }

    /// <summary>Keeps a prefix: nothing with probability dropAll, then each shorter prefix with probability dropLevel, else
    /// everything.</summary>
    public SemanticId Drop(SemanticId request, double uniform)
    {
        int kept = uniform < _dropAll ? 0 : 1 + (int)((uniform - _dropAll) / _dropLevel);
        return _dropLevel == 0 && uniform >= _dropAll ? request : Prefix(request, Math.Min(kept, request.Levels));
    }

    /// <summary>The first codes of an ID; 0 of them is <see cref="Null"/>.</summary>
    public static SemanticId Prefix(SemanticId id, int levels) =>
        levels == 0 ? default : levels >= id.Levels ? id : new SemanticId(id.Codes().AsSpan(0, levels));

    private Tensor Rows(IReadOnlyList<SemanticId> requests)
    {
        var rows = new long[requests.Count * _sizes.Length];
        for (int i = 0; i < requests.Count; i++)
        {
            for (int level = 0; level < _sizes.Length; level++)
            {
                rows[(i * _sizes.Length) + level] = level < requests[i].Levels ? Checked(requests[i], level) : _sizes[level];
            }
        }

        return tensor(rows, [requests.Count, _sizes.Length], device: Device); // [batch, levels]
    }

    private long Checked(SemanticId id, int level) => id.Levels <= _sizes.Length && id[level] < _sizes[level]
        ? id[level]
        : throw CatalogException.Invalid(
            $"Semantic ID {id} does not fit this model's codebook of {_sizes.Length} levels with {string.Join(", ", _sizes)} codes: "
            + "every code must be below its level's count.");
}
