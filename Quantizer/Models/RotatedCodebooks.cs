namespace Recsys.Quantizer.Models;

/// <summary>
/// Optimised product quantization (Ge et al. 2013): product codebooks on x·R, where the orthogonal R spreads the variance over the parts
/// and takes out what is correlated between them.
/// </summary>
public sealed class RotatedCodebooks : QuantizerModel
{
    /// <param name="sizes">[levels] codes at each level.</param>
    /// <param name="dim">Values of an input vector; at least one a level.</param>
    public RotatedCodebooks(IReadOnlyList<int> sizes, int dim)
        : base(nameof(RotatedCodebooks))
    {
        Codebooks = new ProductCodebooks(sizes, dim);
        register_module("codebooks", Codebooks);
        register_buffer("rotation", eye(dim));
        this.Keep();
    }

    public ProductCodebooks Codebooks { get; }

    /// <summary>[dim, dim] R, orthogonal.</summary>
    public Tensor Rotation => get_buffer("rotation")!;

    public override int InputDim => Codebooks.InputDim;

    public override IReadOnlyList<int> Sizes => Codebooks.Sizes;

    public override Tensor Encode(Tensor x, int beam = 1) => Codebooks.Encode(x.matmul(Rotation));

    public override Tensor Decode(Tensor codes) => Codebooks.Decode(codes).matmul(Rotation.t());
}
