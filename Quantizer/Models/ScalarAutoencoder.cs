namespace Recsys.Quantizer.Models;

/// <summary>
/// An autoencoder without codebooks: each value of its latent is bounded and rounded to one of few values, and those of a level together
/// are its code. Finite scalar quantization (FSQ, Mentzer et al. 2023) rounds a tanh to any number of values; lookup-free quantization
/// (LFQ, Yu et al. 2023) takes the sign, so a code's bits are signs.
/// </summary>
public sealed class ScalarAutoencoder : Autoencoder
{
    private const double Margin = 1.001; // of the tanh, so that its ends round to the outermost values too (Mentzer et al., appendix A.1)

    private readonly int[] _flat; // [latent] values of each

    /// <param name="hidden">Widths of the encoder's hidden layers; the decoder mirrors them.</param>
    /// <param name="values">[levels] of [values of a level's latent] numbers to round to, each 2 or more. A level has as many codes as
    /// their product.</param>
    /// <param name="signs">Whether values are signs (LFQ); all of <paramref name="values"/> are 2 then.</param>
    public ScalarAutoencoder(int inputDim, IReadOnlyList<int> hidden, IReadOnlyList<IReadOnlyList<int>> values, bool signs)
        : base(nameof(ScalarAutoencoder), inputDim, hidden, values.Sum(level => level.Count))
    {
        (Values, Signs, _flat) = (values, signs, [.. values.SelectMany(level => level)]);
        Sizes = [.. values.Select(level => level.Aggregate(1, (size, count) => size * count))];
    }

    /// <summary>[levels] of [values of the level's latent].</summary>
    public IReadOnlyList<IReadOnlyList<int>> Values { get; }

    /// <summary>Whether values are signs: LFQ.</summary>
    public bool Signs { get; }

    public override IReadOnlyList<int> Sizes { get; }

    /// <summary>Numbers to round to for a codebook of at most so many codes: as many latent values as make each number about 6 (Mentzer
    /// et al., section 4.1, find 5 and more to be needed), all as even as fits.</summary>
    public static int[] ValuesFor(int size)
    {
        int count = Math.Max(1, (int)Math.Round(Math.Log(size) / Math.Log(6.2)));
        var values = new int[count];
        Array.Fill(values, Math.Max(2, (int)Math.Floor(Math.Pow(size, 1.0 / count) + 1e-9)));
        for (int i = 0; i < count && Product() / values[i] * (values[i] + 1) <= size; i++)
        {
            values[i]++;
        }

        return values;

        long Product() => values.Aggregate(1L, (product, value) => product * value);
    }

    /// <summary>The values of codes that are bits.</summary>
    /// <param name="sizes">[levels] powers of two.</param>
    public static int[][] Bits(IReadOnlyList<int> sizes) => [.. sizes.Select(size => Enumerable.Repeat(2, int.Log2(size)).ToArray())];

    /// <summary>The latent between the bounds and the numbers that it is rounded to, -1 to 1, with a straight-through gradient.</summary>
    /// <param name="z">[n, latent]</param>
    /// <returns>[n, latent]</returns>
    public Tensor Quantised(Tensor z)
    {
        if (Signs)
        {
            return Estimators.StraightThrough(z, FromDigits(Digits(z)));
        }

        var bounded = Bounded(z);
        return Estimators.StraightThrough(bounded, bounded.round()) / HalfWidths(z.device);
    }

    protected override Tensor EncodeLatent(Tensor z, int beam)
    {
        var digits = Digits(z);
        var codes = new Tensor[Sizes.Count];
        for (int level = 0, at = 0; level < codes.Length; level++)
        {
            codes[level] = zeros(z.shape[0], ScalarType.Int64, z.device);
            foreach (int count in Values[level])
            {
                codes[level] = (codes[level] * count) + digits.select(1, at++);
            }
        }

        return stack(codes, 1);
    }

    protected override Tensor DecodeLatent(Tensor codes)
    {
        var digits = new List<Tensor>();
        for (int level = 0; level < Sizes.Count; level++)
        {
            var rest = codes.select(1, level);
            var ofLevel = new Tensor[Values[level].Count];
            for (int i = ofLevel.Length - 1; i >= 0; i--)
            {
                ofLevel[i] = rest.remainder(Values[level][i]);
                rest = rest.div(Values[level][i], RoundingMode.floor);
            }

            digits.AddRange(ofLevel);
        }

        return FromDigits(stack(digits, 1));
    }

    // [n, latent] int64, 0 to below the values of each.
    private Tensor Digits(Tensor z) =>
        (Signs ? (z > 0).to(ScalarType.Int64) : (Bounded(z.detach()).round() + HalfWidths(z.device)).to(ScalarType.Int64)).detach();

    // [n, latent], -1 to 1.
    private Tensor FromDigits(Tensor digits) => Signs
        ? (digits.to(ScalarType.Float32) * 2) - 1
        : (digits.to(ScalarType.Float32) - HalfWidths(digits.device)) / HalfWidths(digits.device);

    // tanh stretched and shifted so that it rounds to the count's values evenly: for an even count they lie between -count/2 and
    // count/2 - 1 (Mentzer et al., appendix A.1).
    private Tensor Bounded(Tensor z)
    {
        var half = Constant(count => (count - 1) * Margin / 2, z.device);
        var offset = Constant(count => count % 2 == 0 ? 0.5 : 0, z.device);
        var shift = Constant(count => count % 2 == 0 ? Math.Atanh(0.5 / ((count - 1) * Margin / 2)) : 0, z.device);
        return ((z + shift).tanh() * half) - offset;
    }

    private Tensor HalfWidths(Device device) => Constant(count => Math.Floor(count / 2.0), device);

    private Tensor Constant(Func<int, double> of, Device device) =>
        tensor(Array.ConvertAll(_flat, count => (float)of(count)), dtype: ScalarType.Float32, device: device);
}
