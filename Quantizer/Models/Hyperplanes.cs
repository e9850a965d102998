namespace Recsys.Quantizer.Models;

/// <summary>
/// Locality-sensitive hashing by random hyperplanes (SimHash, Charikar 2002): a bit is the side of a hyperplane through the middle of the
/// catalogue that a vector lies on, two vectors differ in a bit with probability angle / π, and a level's code is a group of bits. Nothing
/// is learned but the linear map that reads a vector back.
/// </summary>
public sealed class Hyperplanes : QuantizerModel
{
    private readonly int[] _bits; // [levels]

    /// <param name="dim">Values of an input vector.</param>
    /// <param name="sizes">[levels] codes at each level, powers of two.</param>
    public Hyperplanes(int dim, IReadOnlyList<int> sizes)
        : base(nameof(Hyperplanes))
    {
        (InputDim, Sizes, _bits) = (dim, sizes, [.. sizes.Select(int.Log2)]);
        register_buffer("normals", zeros(_bits.Sum(), dim));
        register_buffer("decoder", zeros(_bits.Sum(), dim));
        this.Keep();
    }

    public override int InputDim { get; }

    public override IReadOnlyList<int> Sizes { get; }

    /// <summary>[bits, dim]</summary>
    public Tensor Normals => get_buffer("normals")!;

    /// <summary>[bits, dim] what each side of a hyperplane adds to, or takes from, the vector.</summary>
    public Tensor Decoder => get_buffer("decoder")!;

    /// <param name="x">[n, dim]</param>
    /// <returns>[n, bits] -1 or 1</returns>
    public Tensor Sides(Tensor x) => ((x.matmul(Normals.t()) > 0).to(ScalarType.Float32) * 2) - 1;

    public override Tensor Encode(Tensor x, int beam = 1)
    {
        var bits = (x.matmul(Normals.t()) > 0).to(ScalarType.Int64);
        var codes = new Tensor[Sizes.Count];
        for (int level = 0, at = 0; level < codes.Length; level++)
        {
            codes[level] = zeros(x.shape[0], ScalarType.Int64, x.device);
            for (int bit = 0; bit < _bits[level]; bit++)
            {
                codes[level] = (codes[level] * 2) + bits.select(1, at++);
            }
        }

        return stack(codes, 1);
    }

    public override Tensor Decode(Tensor codes)
    {
        var sides = new List<Tensor>();
        for (int level = 0; level < Sizes.Count; level++)
        {
            for (int bit = _bits[level] - 1; bit >= 0; bit--)
            {
                sides.Add(codes.select(1, level).div(1 << bit, RoundingMode.floor).remainder(2));
            }
        }

        return ((stack(sides, 1).to(ScalarType.Float32) * 2) - 1).matmul(Decoder);
    }
}
