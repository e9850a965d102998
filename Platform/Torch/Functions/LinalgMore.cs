using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    public static Tensor addr(Tensor input, Tensor vec1, Tensor vec2, float beta = 1, float alpha = 1) => Call("addr", input, vec1, vec2, beta, alpha);

    public static Tensor vdot(Tensor input, Tensor target) => input.vdot(target);

    public static Tensor chain_matmul(params Tensor[] matrices) => linalg.multi_dot(matrices);

    public static Tensor matrix_power(Tensor input, int n) => linalg.matrix_power(input, n);

    public static (Tensor res, Tensor logabsdet) slogdet(Tensor A) => Call2("linalg_slogdet", A);

    /// <summary>Solves L Lᵀ x = input by the Cholesky factor <paramref name="input2"/>.</summary>
    public static Tensor cholesky_solve(Tensor input, Tensor input2, bool upper = false) => Call("cholesky_solve", input, input2, upper);

    public static Tensor cholesky_inverse(Tensor input, bool upper = false) => Call("cholesky_inverse", input, upper);

    public static partial class linalg
    {
        public static (Tensor L, Tensor info) cholesky_ex(Tensor input, bool check_errors = false) => Call2("linalg_cholesky_ex", input, false, check_errors);

        public static (Tensor L, Tensor info) inv_ex(Tensor input, bool check_errors = false) => Call2("linalg_inv_ex", input, check_errors);

        /// <summary>‖A‖ ‖A⁻¹‖ in the 2-norm.</summary>
        public static Tensor cond(Tensor input) => Call("linalg_cond", input);

        public static Tensor cond(Tensor input, double p) => Call("linalg_cond", input, p);

        public static Tensor cond(Tensor input, string p) => Call("linalg_cond.p_str", input, p);

        public static Tensor cross(Tensor input, Tensor other, long dim = -1) => Call("linalg_cross", input, other, dim);

        public static Tensor diagonal(Tensor input, int offset = 0, int dim1 = -2, int dim2 = -1) => input.diagonal(offset, dim1, dim2);

        /// <summary>Sign and logarithm of the determinant's magnitude.</summary>
        public static (Tensor, Tensor) slogdet(Tensor input) => Call2("linalg_slogdet", input);

        public static Tensor matrix_exp(Tensor input) => input.matrix_exp();

        public static Tensor matrix_rank(Tensor input, double? atol = null, double? rtol = null, bool hermitian = false) =>
            Call("linalg_matrix_rank.atol_rtol_float", input, atol, rtol, hermitian);

        /// <summary>The product of a chain of matrices, in the cheapest order.</summary>
        public static Tensor multi_dot(IList<Tensor> tensors) => Call("linalg_multi_dot", Value.List(tensors));

        /// <summary>A = P L U.</summary>
        public static (Tensor P, Tensor L, Tensor U) lu(Tensor input, bool pivot = true) => Call3("linalg_lu", input, pivot);

        public static (Tensor LU, Tensor? Pivots) lu_factor(Tensor input, bool pivot = true) => Call2("linalg_lu_factor", input, pivot);

        public static Tensor lu_solve(Tensor LU, Tensor pivots, Tensor B, bool left = true, bool adjoint = false) =>
            Call("linalg_lu_solve", LU, pivots, B, left, adjoint);

        public static Tensor tensorinv(Tensor input, long ind) => Call("linalg_tensorinv", input, ind);

        public static Tensor tensorsolve(Tensor A, Tensor B, long[] dims) => Call("linalg_tensorsolve", A, B, dims);

        public static Tensor vander(Tensor input, long? N = null) => Call("linalg_vander", input, N);

        public static Tensor vecdot(Tensor x, Tensor y, long dim = -1) => Call("linalg_vecdot", x, y, dim);

        public static Tensor householder_product(Tensor A, Tensor tau) => Call("linalg_householder_product", A, tau);
    }
}
