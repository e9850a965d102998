using System.Numerics;
using Recsys.Catalog;
using Recsys.Quantizer.Models;

namespace Recsys.Quantizer;

/// <summary>Settings of <see cref="Training.QuantizerTrainer"/>; <see cref="Validate"/> names every fault at once.</summary>
public sealed record QuantizerOptions
{
    public QuantizerKind Kind { get; init; } = QuantizerKind.ResidualKMeans;

    /// <summary>Codes per item, 1 to <see cref="SemanticId.MaxLevels"/>.</summary>
    public int Levels { get; init; } = 3;

    /// <summary>Codes per level, 2 to 65,536; a catalogue with fewer items gets as many codes as items.</summary>
    public int CodebookSize { get; init; } = 256;

    /// <summary>An own size for each level; takes the place of <see cref="Levels"/> and <see cref="CodebookSize"/>.</summary>
    public IReadOnlyList<int>? CodebookSizes { get; init; }

    /// <summary>Tuples of codes that encoding keeps from level to level, 1 to 64; 1 takes each level's nearest code. More for kinds whose
    /// levels quantise residuals: for the others nearest codes are the best already.</summary>
    public int Beam { get; init; } = 1;

    /// <summary>
    /// Each level's perplexity, as a share of its codes, below which training ends in an error, 0 to 1: the codebook has collapsed. Over
    /// the distinct vectors that the levels before leave on one tuple with others. Not for <c>lsh</c> and <c>random</c>.
    /// </summary>
    public double MinPerplexity { get; init; } = 0.05;

    /// <summary>Lloyd iterations of every k-means, 1 to 1,000.</summary>
    public int KMeansIterations { get; init; } = 25;

    /// <summary>Seeds that every k-means is run from, the best being kept, 1 to 100.</summary>
    public int KMeansRestarts { get; init; } = 1;

    /// <summary>0: plain nearest codes; 1: codes nearly equally frequent; between: prices are that share of the balancing ones.</summary>
    public double BalanceStrength { get; init; } = 1;

    /// <summary>Rounds of balanced k-means after the plain one, 0 to 1,000. Without strength Lloyd starts once more from their codes, and
    /// the fit with less error stays.</summary>
    public int BalanceRounds { get; init; } = 10;

    /// <summary>Softness of the balance, as a share of the level's mean squared error.</summary>
    public double BalanceTemperature { get; init; } = 0.1;

    public StabilityOptions Stability { get; init; } = new();

    /// <summary>How the named embeddings are weighted against each other.</summary>
    public Encoding.FusionOptions Fusion { get; init; } = new();

    /// <summary>Of every kind with an autoencoder: <c>rqvae</c>, <c>vqvae</c>, <c>fsq</c>, <c>lfq</c>.</summary>
    public RqVaeOptions RqVae { get; init; } = new();

    public OpqOptions Opq { get; init; } = new();

    public FsqOptions Fsq { get; init; } = new();

    public LfqOptions Lfq { get; init; } = new();

    /// <summary>Codes at each level, for a catalogue of n items: never more than items, powers of two where codes are bits, and for
    /// <c>fsq</c> the products of the numbers that latent values are rounded to.</summary>
    /// <returns>[levels]</returns>
    public int[] LevelSizes(int n)
    {
        if (Kind == QuantizerKind.FiniteScalar)
        {
            return [.. FsqValues(n).Select(level => level.Aggregate((size, count) => size * count))];
        }

        var sizes = Wanted().Select(size => Math.Min(size, n));
        return [.. Kind.HasBits() ? sizes.Select(size => 1 << BitOperations.Log2((uint)size)) : sizes];
    }

    /// <summary>[levels] of the numbers of values that FSQ rounds the level's latent to.</summary>
    internal IReadOnlyList<int>[] FsqValues(int n)
    {
        var levels = Wanted();
        return Fsq.Values is { } given
            ? [.. levels.Select((_, level) => given[given.Count == 1 ? 0 : level])]
            : [.. levels.Select(size => ScalarAutoencoder.ValuesFor(Math.Max(2, Math.Min(size, n))))];
    }

    /// <exception cref="CatalogException">Every value out of its range, by its key in the JSON.</exception>
    public void Validate() => Faults.ThrowIfAny("Quantizer options", Check);

    /// <summary>Notes every value that is out of its range.</summary>
    public void Check(Faults faults)
    {
        string kinds = string.Join(", ", Enum.GetValues<QuantizerKind>().Select(kind => kind.Name()));
        faults.Check(Enum.IsDefined(Kind), "quantizer.kind", (int)Kind, $"one of {kinds}");
        faults.Range("quantizer.levels", Levels, 1, SemanticId.MaxLevels);
        faults.Range("quantizer.codebook_size", CodebookSize, 2, 65_536);
        CheckSizes(faults);
        faults.Range("quantizer.beam", Beam, 1, 64);
        faults.Check(
            Beam == 1 || Kind.IsResidual(), "quantizer.beam", Beam, $"1 for a kind whose levels do not depend on each other ({Kind})");
        faults.Range("quantizer.min_perplexity", MinPerplexity, 0, 1);
        faults.Range("quantizer.k_means_iterations", KMeansIterations, 1, 1_000);
        faults.Range("quantizer.k_means_restarts", KMeansRestarts, 1, 100);
        faults.Range("quantizer.balance_strength", BalanceStrength, 0, 1);
        faults.Range("quantizer.balance_rounds", BalanceRounds, 0, 1_000);
        faults.Range("quantizer.balance_temperature", BalanceTemperature, 0.001, 10);
        Stability.Check(faults);
        Fusion.Check(faults);
        RqVae.Check(faults);
        faults.Check(
            Kind != QuantizerKind.VqVae || RqVae.LatentDim >= Wanted().Length, "quantizer.rq_vae.latent_dim", RqVae.LatentDim,
            "at least one value a level for vqvae");
        Opq.Check(faults);
        Fsq.Check(faults, Wanted().Length);
        Lfq.Check(faults);
    }

    private void CheckSizes(Faults faults)
    {
        if (CodebookSizes is { } sizes)
        {
            faults.Range("quantizer.codebook_sizes, levels", sizes.Count, 1, SemanticId.MaxLevels);
            for (int level = 0; level < sizes.Count; level++)
            {
                faults.Range($"quantizer.codebook_sizes[{level}]", sizes[level], 2, 65_536);
            }
        }

        faults.Check(
            !Kind.HasBits() || Wanted().All(size => BitOperations.IsPow2(size)), "quantizer.codebook_size",
            string.Join(", ", Wanted()), "powers of two for lfq and lsh, whose codes are bits");
    }

    private int[] Wanted() => CodebookSizes is null ? [.. Enumerable.Repeat(CodebookSize, Math.Max(0, Levels))] : [.. CodebookSizes];
}

/// <summary>Settings of optimised product quantization.</summary>
public sealed record OpqOptions
{
    /// <summary>Turns of the alternation between codes and rotation, 0 to 1,000; 0 leaves the rotation that spreads the variance.</summary>
    public int Iterations { get; init; } = 20;

    internal void Check(Faults faults) => faults.Range("quantizer.opq.iterations", Iterations, 0, 1_000);
}

/// <summary>Settings of finite scalar quantization.</summary>
public sealed record FsqOptions
{
    /// <summary>
    /// Numbers that a level's latent values are rounded to, one list for all levels or one a level: [[8, 6, 5]] makes 240 codes of three
    /// latent values. Null: as many as fit the codebook's size, 5 to 8 each.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<int>>? Values { get; init; }

    internal void Check(Faults faults, int levels)
    {
        if (Values is null)
        {
            return;
        }

        faults.Check(
            Values.Count == 1 || Values.Count == levels, "quantizer.fsq.values", Values.Count, $"1 list, or {levels} for the levels");
        foreach (var level in Values)
        {
            long size = level.Aggregate(1L, (product, count) => Math.Min(product * Math.Max(0, count), 1 << 30));
            faults.Check(
                level.Count > 0 && level.All(count => count >= 2) && size <= 65_536, "quantizer.fsq.values",
                $"[{string.Join(", ", level)}]", "numbers of 2 and more with a product up to 65536");
        }
    }
}

/// <summary>Settings of lookup-free quantization.</summary>
public sealed record LfqOptions
{
    /// <summary>Weight of the entropy loss E[H(code | z)] − H(E[code]), 0 to 100: sure codes, evenly used.</summary>
    public double EntropyWeight { get; init; } = 0.1;

    /// <summary>Of the bits' probabilities σ(4z / τ) in it, .01 to 100.</summary>
    public double Temperature { get; init; } = 1;

    internal void Check(Faults faults)
    {
        faults.Range("quantizer.lfq.entropy_weight", EntropyWeight, 0, 100);
        faults.Range("quantizer.lfq.temperature", Temperature, 0.01, 100);
    }
}
