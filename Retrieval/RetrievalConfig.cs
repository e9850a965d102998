namespace Recsys.Retrieval;

/// <summary>Everything but the tensors that a saved retrieval model needs.</summary>
/// <param name="Format">Raised when the meaning of the files changes.</param>
/// <param name="Options">Shape and recipe.</param>
/// <param name="CodebookSizes">[levels]</param>
/// <param name="CollisionTokens">Collision tokens that the model knows.</param>
/// <param name="TrainedItems">Items with a vector of their own; those appended later are known by their codes alone.</param>
/// <param name="Alpha">Share of the generative model in the ranking; 1 without a dense head.</param>
/// <param name="Seed">The training's seed.</param>
public sealed record RetrievalConfig(
    int Format, RetrievalOptions Options, int[] CodebookSizes, int CollisionTokens, int TrainedItems, double Alpha, long Seed)
{
    public const int CurrentFormat = 1;

    /// <summary>Notes every value that is out of its range.</summary>
    public void Check(Faults faults)
    {
        faults.Check(Format == CurrentFormat, "format", Format, $"{CurrentFormat}");
        Options.Check(faults);
        faults.Range("levels", CodebookSizes.Length, 1, SemanticId.MaxLevels);
        faults.Check(
            CodebookSizes.All(size => size is >= 1 and <= 65_536), "codebook_sizes", string.Join(", ", CodebookSizes),
            "1 to 65536 codes a level");
        faults.Range("collision_tokens", CollisionTokens, 1, 65_536);
        faults.Range("trained_items", TrainedItems, 0, int.MaxValue);
        faults.Range("alpha", Alpha, 0.05, 1);
    }
}
