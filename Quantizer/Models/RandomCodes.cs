namespace Recsys.Quantizer.Models;

/// <summary>
/// Codes that say nothing: a hash of the vector, equal for equal vectors and else as good as drawn evenly. What any other way must beat.
/// Read back, every code is the middle of the catalogue.
/// </summary>
public sealed class RandomCodes : QuantizerModel
{
    private const double Steps = 1 << 20, Largest = 1L << 52;

    /// <param name="dim">Values of an input vector.</param>
    /// <param name="sizes">[levels] codes at each level.</param>
    public RandomCodes(int dim, IReadOnlyList<int> sizes)
        : base(nameof(RandomCodes))
    {
        (InputDim, Sizes) = (dim, sizes);
        register_buffer("factors", zeros(sizes.Count, dim, ScalarType.Int64));
        register_buffer("mean", zeros(dim));
        this.Keep();
    }

    public override int InputDim { get; }

    public override IReadOnlyList<int> Sizes { get; }

    /// <summary>[levels, dim] int64, drawn once.</summary>
    public Tensor Factors => get_buffer("factors")!;

    /// <summary>[dim]</summary>
    public Tensor Mean => get_buffer("mean")!;

    // Multilinear hashing (Carter and Wegman 1979) modulo 2⁶⁴ of the values in steps of 2⁻²⁰, of which the upper bits are taken:
    // integers, so that every device gives the same. The values are mixed first: a linear hash of a moved vector is a moved hash.
    public override Tensor Encode(Tensor x, int beam = 1)
    {
        var mixed = Mixed((x.to(ScalarType.Float64) * Steps).round().clamp(-Largest, Largest).to(ScalarType.Int64)); // [n, dim]
        var codes = Sizes.Select((size, level) => Shifted(Mixed((mixed * Factors[level].unsqueeze(0)).sum(1)), 33).remainder(size));
        return stack([.. codes], 1);
    }

    public override Tensor Decode(Tensor codes) => Mean.unsqueeze(0).expand(codes.shape[0], -1);

    // The finaliser of SplitMix64 (Steele et al. 2014), with shifts that carry the sign: a bijection still.
    private static Tensor Mixed(Tensor values)
    {
        values = values.bitwise_xor(Shifted(values, 30)) * unchecked((long)0xBF58476D1CE4E5B9);
        values = values.bitwise_xor(Shifted(values, 27)) * unchecked((long)0x94D049BB133111EB);
        return values.bitwise_xor(Shifted(values, 31));
    }

    private static Tensor Shifted(Tensor values, int bits) => values.bitwise_right_shift(full_like(values, bits));
}
