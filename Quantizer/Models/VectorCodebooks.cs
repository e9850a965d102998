using Recsys.Torch.Kernels;

namespace Recsys.Quantizer.Models;

/// <summary>
/// One codebook of vectors a level: a level takes the code nearest to its input, c_d = argmin_j ‖r_d − e_j‖² + p_j. What that input
/// is, and how the codes' vectors make up the whole again, is what residual and product quantization differ in.
/// The prices p_j turn the Voronoi cells into those of a power diagram: with the right prices all cells are equally full, and still
/// every vector is encoded by itself. Zero prices give the plain nearest code.
/// </summary>
public abstract class VectorCodebooks : QuantizerModel
{
    /// <param name="sizes">[levels] codes at each level.</param>
    /// <param name="dim">Values of an input vector.</param>
    /// <param name="widths">[levels] values of a code.</param>
    /// <param name="trainable">Whether the codes receive gradients.</param>
    protected VectorCodebooks(string name, IReadOnlyList<int> sizes, int dim, IReadOnlyList<int> widths, bool trainable)
        : base(name)
    {
        (Sizes, InputDim, Widths) = (sizes, dim, widths);
        for (int level = 0; level < sizes.Count; level++)
        {
            register_parameter($"codes{level}", new Parameter(zeros(sizes[level], widths[level]), trainable));
            register_buffer($"prices{level}", zeros(sizes[level]));
        }

        this.Keep();
    }

    public override IReadOnlyList<int> Sizes { get; }

    public override int InputDim { get; }

    /// <summary>[levels] values of a code.</summary>
    public IReadOnlyList<int> Widths { get; }

    // Asked of the module each time: moving it to another device puts other tensors in their place.

    /// <summary>[levels] of [size, width].</summary>
    public IReadOnlyList<Parameter> Codes => [.. Enumerable.Range(0, Sizes.Count).Select(level => get_parameter($"codes{level}")!)];

    /// <summary>[levels] of [size].</summary>
    public IReadOnlyList<Tensor> Prices => [.. Enumerable.Range(0, Sizes.Count).Select(level => get_buffer($"prices{level}")!)];

    /// <summary>What a level has to quantise.</summary>
    /// <param name="rest">[n, dim] what the levels before have left.</param>
    /// <returns>[n, width]</returns>
    public abstract Tensor Input(Tensor rest, int level);

    /// <summary>What a level leaves to those behind it.</summary>
    /// <param name="rest">[n, dim]</param>
    /// <param name="vectors">[n, width] of the codes that the level has given.</param>
    /// <returns>[n, dim]</returns>
    public abstract Tensor Left(Tensor rest, Tensor vectors);

    /// <summary>The vectors that the levels' codes make up.</summary>
    /// <param name="vectors">[levels] of [n, width]</param>
    /// <returns>[n, dim]</returns>
    public abstract Tensor Joined(IReadOnlyList<Tensor> vectors);

    /// <summary>Squared distances to a level's codes, up to the input's own length.</summary>
    /// <param name="input">[n, width]</param>
    public Tensor Distances(Tensor input, int level)
    {
        var codes = Codes[level].detach();
        return codes.pow(2).sum(1).unsqueeze(0) - (input.matmul(codes.t()) * 2); // [n, size]
    }

    /// <summary>The same with the codes' prices.</summary>
    /// <param name="input">[n, width]</param>
    /// <returns>[n, size]</returns>
    public Tensor Costs(Tensor input, int level) => Distances(input.detach(), level) + Prices[level].unsqueeze(0);

    /// <summary>The code that a level gives to its inputs.</summary>
    /// <param name="input">[n, width]</param>
    /// <returns>[n] int64</returns>
    public Tensor Nearest(Tensor input, int level) => NearestCodes.Of(input.detach(), Codes[level].detach(), Prices[level]);

    /// <param name="codes">[n] int64</param>
    /// <returns>[n, width]</returns>
    public Tensor Vectors(Tensor codes, int level) => Codes[level].index_select(0, codes);

    public override Tensor Encode(Tensor x, int beam = 1)
    {
        var codes = new Tensor[Sizes.Count];
        var rest = x.detach();
        for (int level = 0; level < codes.Length; level++)
        {
            codes[level] = Nearest(Input(rest, level), level);
            rest = Left(rest, Vectors(codes[level], level).detach());
        }

        return stack(codes, 1);
    }

    public override Tensor Decode(Tensor codes) =>
        Joined([.. Enumerable.Range(0, Sizes.Count).Select(level => Vectors(codes.select(1, level), level))]);
}
