namespace Recsys.Quantizer.Training;

/// <summary>How many rows and codes a level's training looks at, so that its memory has one bound whatever the codebook's size.</summary>
/// <param name="TrainingRows">Rows that k-means and the codes' means learn from: all, or 256 a code and at least 131,072.</param>
/// <param name="PricedRows">Of these, rows that a round of balancing looks at; each round takes the next ones.</param>
/// <param name="Candidates">Codes that compete for one of them: the nearest, or all where they fit.</param>
internal readonly record struct BlockPlan(long TrainingRows, long PricedRows, int Candidates)
{
    /// <summary>Values of the largest tensor of distances that is kept for a round: 128 MiB.</summary>
    public const long KeptEntries = 1L << 25;

    /// <summary>Values of a block of distances to all codes, 1 MiB: what is made of it stays in the caches.</summary>
    public const long BlockEntries = 1L << 18;

    private const long LeastRows = 131_072; // at 256 codes, all of them compete for so many
    private const long PricedRowsPerCode = 8;

    /// <summary>At most so many rows of x, at even distances.</summary>
    /// <param name="x">[n, dim]</param>
    public static Tensor EvenSample(Tensor x, int rows) => x.shape[0] <= rows
        ? x
        : x.index_select(0, (arange(rows, ScalarType.Float64, x.device) * ((double)x.shape[0] / rows)).to(ScalarType.Int64));

    /// <param name="rows">Rows at hand.</param>
    /// <param name="codes">Codes of the level, 1 to 65,536.</param>
    public static BlockPlan For(long rows, int codes)
    {
        long training = Math.Min(rows, Math.Max(256L * codes, LeastRows));
        long priced = Math.Min(training, Math.Max(PricedRowsPerCode * codes, LeastRows));
        bool all = priced * codes <= KeptEntries;
        long candidates = all ? codes : KeptEntries / 2 / priced; // half for the distances, half for 32-bit indexes
        return new BlockPlan(training, priced, (int)candidates);
    }
}
