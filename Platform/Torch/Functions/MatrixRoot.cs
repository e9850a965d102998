using static Recsys.Torch.torch;

namespace Recsys.Torch;

/// <summary>Square roots of matrices, over TorchSharp's names; TorchSharp has none.</summary>
public static class MatrixRoot
{
    /// <summary>The symmetric root of a symmetric positive semi-definite matrix: R R = A.</summary>
    /// <param name="matrix">[..., n, n]; eigenvalues that rounding made negative count as 0.</param>
    public static Tensor Of(Tensor matrix)
    {
        using var scope = NewDisposeScope();
        var (values, vectors) = linalg.eigh(matrix);
        return (vectors * values.clamp(min: 0).sqrt().unsqueeze(-2)).matmul(vectors.transpose(-2, -1)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// tr √(A B) of two symmetric positive semi-definite matrices, as Fréchet distances need it: A B has the eigenvalues of the symmetric
    /// √A B √A, so no root of a matrix without symmetry is taken.
    /// </summary>
    /// <returns>[...], one number a pair of matrices.</returns>
    public static Tensor TraceOfProduct(Tensor left, Tensor right)
    {
        using var scope = NewDisposeScope();
        var root = Of(left);
        var product = root.matmul(right).matmul(root);
        var symmetric = (product + product.transpose(-2, -1)) * 0.5;
        return linalg.eigvalsh(symmetric).clamp(min: 0).sqrt().sum(-1).MoveToOuterDisposeScope();
    }
}
