namespace Recsys.Quantizer.Models;

/// <summary>
/// Residual codebooks: each level takes the code nearest to what the levels before it left over,
/// r₀ = z, c_d = argmin_j ‖r_d − e_j‖² + p_j, r_{d+1} = r_d − e_{c_d} (Zeghidour et al. 2021, algorithm 1).
/// The prices p_j turn the Voronoi cells into those of a power diagram: with the right prices all cells are equally full, and still
/// every vector is encoded by itself. Zero prices give the plain nearest code.
/// </summary>
public sealed class ResidualCodebooks : QuantizerModel
{
    /// <param name="sizes">[levels] codes at each level.</param>
    /// <param name="dim">Values of a code.</param>
    /// <param name="trainable">Whether the codes receive gradients.</param>
    public ResidualCodebooks(IReadOnlyList<int> sizes, int dim, bool trainable = false)
        : base(nameof(ResidualCodebooks))
    {
        (Sizes, InputDim) = (sizes, dim);
        for (int level = 0; level < sizes.Count; level++)
        {
            register_parameter($"codes{level}", new Parameter(zeros(sizes[level], dim), trainable));
            register_buffer($"prices{level}", zeros(sizes[level]));
        }

        this.Keep();
    }

    public override IReadOnlyList<int> Sizes { get; }

    public override int InputDim { get; }

    // Asked of the module each time: moving it to another device puts other tensors in their place.

    /// <summary>[levels] of [size, dim].</summary>
    public IReadOnlyList<Parameter> Codes => [.. Enumerable.Range(0, Sizes.Count).Select(level => get_parameter($"codes{level}")!)];

    /// <summary>[levels] of [size].</summary>
    public IReadOnlyList<Tensor> Prices => [.. Enumerable.Range(0, Sizes.Count).Select(level => get_buffer($"prices{level}")!)];

    /// <summary>Squared distances to a level's codes, up to the residual's own length.</summary>
    /// <param name="residual">[n, dim]</param>
    public Tensor Distances(Tensor residual, int level)
    {
        var codes = Codes[level].detach();
        return codes.pow(2).sum(1).unsqueeze(0) - (residual.matmul(codes.t()) * 2); // [n, size]
    }

    /// <summary>The code that a level gives to residuals.</summary>
    /// <param name="residual">[n, dim]</param>
    /// <returns>[n] int64</returns>
    public Tensor Nearest(Tensor residual, int level)
        => (Distances(residual.detach(), level) + Prices[level].unsqueeze(0)).argmin(1);

    public override Tensor Encode(Tensor x)
    {
        var codes = new Tensor[Sizes.Count];
        var residual = x.detach();
        for (int level = 0; level < codes.Length; level++)
        {
            codes[level] = Nearest(residual, level);
            residual = residual - Codes[level].detach().index_select(0, codes[level]);
        }

        return stack(codes, 1);
    }

    /// <summary>The sum of the codes' vectors.</summary>
    public override Tensor Decode(Tensor codes) => Enumerable.Range(0, Sizes.Count)
        .Select(level => Codes[level].index_select(0, codes.select(1, level))).Aggregate((sum, vectors) => sum + vectors);
}
