using Recsys.Torch;
using static Recsys.Torch.torch;
using F = Recsys.Torch.torch.nn.functional;

namespace Recsys.Server.Selftest;

/// <summary>Products, decompositions and solvers.</summary>
internal static class LinearAlgebraChecks
{
    public static IReadOnlyList<NumericCheck> All { get; } =
    [
        new("matmul", [[7, 33], [33, 5]], x => x[0].matmul(x[1])),
        new("bmm", [[3, 7, 9], [3, 9, 5]], x => x[0].bmm(x[1])),
        new("baddbmm", [[3, 7, 5], [3, 7, 9], [3, 9, 5]], x => baddbmm(x[0], x[1], x[2], 0.5, 2)),
        new("addmm", [[7, 5], [7, 9], [9, 5]], x => addmm(x[0], x[1], x[2])),
        new("mv and dot", [[7, 9], [9]], x => x[0].mv(x[1]) + x[1].dot(x[1])),
        new("outer and kron", [[4], [3]], x => outer(x[0], x[1]) + kron(x[0].view(4, 1), x[1].view(1, 3))),
        new("einsum bhqd,bhkd->bhqk", [[2, 3, 4, 8], [2, 3, 6, 8]], x => einsum("bhqd,bhkd->bhqk", x[0], x[1])),
        new("einsum i,ij,j->", [[5], [5, 7], [7]], x => einsum("i,ij,j->", x[0], x[1], x[2])),
        new("tensordot", [[3, 4, 5], [4, 3, 2]], x => tensordot(x[0], x[1], [0, 1], [1, 0])),
        new("linear", [[6, 16], [8, 16], [8]], x => F.linear(x[0], x[1], x[2])),
        new("bilinear", [[6, 4], [6, 5], [3, 4, 5]], x => F.bilinear(x[0], x[1], x[2])),
        new("singular values", [[6, 4]], x => linalg.svdvals(x[0])),
        new("svd, put together", [[6, 4]], x => Together(linalg.svd(x[0], fullMatrices: false)), Gradient: false),
        new("qr, put together", [[6, 4]], x => linalg.qr(x[0]).Q.matmul(linalg.qr(x[0]).R)),
        new("eigh values", [[5, 5]], x => linalg.eigh(Positive(x[0])).eigenvalues),
        new("cholesky", [[5, 5]], x => linalg.cholesky(Positive(x[0]))),
        new("solve", [[5, 5], [5, 3]], x => linalg.solve(Positive(x[0]), x[1])),
        new("solve_triangular", [[5, 5], [5, 3]], x => linalg.solve_triangular(linalg.cholesky(Positive(x[0])), x[1], upper: false)),
        new("inverse", [[5, 5]], x => linalg.inv(Positive(x[0]))),
        new("pinv", [[6, 4]], x => linalg.pinv(x[0]).matmul(x[0]), Gradient: false),
        new("lstsq", [[6, 4], [6, 2]], x => linalg.lstsq(x[0], x[1]).Solution, Gradient: false, Repeats: false),
        new("determinant", [[5, 5]], x => linalg.slogdet(Positive(x[0])).Item2),
        new("matrix_exp", [[5, 5]], x => linalg.matrix_exp(x[0] / 5)),
        new("matrix_power", [[5, 5]], x => linalg.matrix_power(x[0] / 3, 3)),
        new("lu_solve", [[5, 5], [5, 3]], x => linalg.lu_solve(linalg.lu_factor(Positive(x[0])).LU, linalg.lu_factor(Positive(x[0])).Pivots!, x[1]), Gradient: false),
        new("root of a matrix", [[5, 5]], x => MatrixRoot.Of(Positive(x[0]))),
        new("trace of a root", [[5, 5], [5, 5]], x => MatrixRoot.TraceOfProduct(Positive(x[0]), Positive(x[1]))),
    ];

    private static Tensor Positive(Tensor x) => x.matmul(x.t()) + eye(5, dtype: x.dtype, device: x.device);

    private static Tensor Together((Tensor U, Tensor S, Tensor Vh) parts) => (parts.U * parts.S).matmul(parts.Vh);
}
