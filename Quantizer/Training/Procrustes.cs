namespace Recsys.Quantizer.Training;

/// <summary>The orthogonal Procrustes problem.</summary>
internal static class Procrustes
{
    /// <summary>The orthogonal R with the least ‖XR − Y‖²: R = UVᵀ of XᵀY = UΣVᵀ (Schönemann 1966).</summary>
    /// <param name="x">[n, dim]</param>
    /// <param name="y">[n, dim]</param>
    /// <returns>[dim, dim] float64</returns>
    public static Tensor Rotation(Tensor x, Tensor y)
    {
        var (u, _, vh) = linalg.svd(x.t().matmul(y).to(ScalarType.Float64), fullMatrices: false);
        return u.matmul(vh);
    }
}
