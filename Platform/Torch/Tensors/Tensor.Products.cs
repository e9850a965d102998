using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    /// <summary>Less common products and matrix functions.</summary>
    public partial class Tensor
    {
        public Tensor addbmm(Tensor batch1, Tensor batch2, double beta = 1, double alpha = 1) => Call("addbmm", this, batch1, batch2, beta, alpha);

        public Tensor addmv(Tensor mat, Tensor vec, double beta = 1, double alpha = 1) => Call("addmv", this, mat, vec, beta, alpha);

        public Tensor addr(Tensor vec1, Tensor vec2, double beta = 1, double alpha = 1) => Call("addr", this, vec1, vec2, beta, alpha);

        public Tensor addmm_(Tensor mat1, Tensor mat2, double beta = 1, double alpha = 1)
        {
            Run("addmm_", this, mat1, mat2, beta, alpha);
            return this;
        }

        public Tensor baddbmm_(Tensor batch1, Tensor batch2, double beta = 1, double alpha = 1)
        {
            Run("baddbmm_", this, batch1, batch2, beta, alpha);
            return this;
        }

        public Tensor cross(Tensor other, long dim = -1) => Call("linalg_cross", this, other, dim);

        public Tensor matrix_exp() => Call("linalg_matrix_exp", this);

        public Tensor vdot(Tensor target) => Call("vdot", this, target);

        public Tensor logdet() => Call("logdet", this);
    }

    public static Tensor addbmm(Tensor input, Tensor batch1, Tensor batch2, double beta = 1, double alpha = 1) => input.addbmm(batch1, batch2, beta, alpha);

    public static Tensor addmv(Tensor input, Tensor mat, Tensor vec, double beta = 1, double alpha = 1) => input.addmv(mat, vec, beta, alpha);

    public static Tensor cross(Tensor input, Tensor other, long dim = -1) => input.cross(other, dim);

    public static Tensor matrix_exp(Tensor input) => input.matrix_exp();

    public static Tensor inner(Tensor input, Tensor vec2) => input.inner(vec2);

    public static Tensor inverse(Tensor input) => linalg.inv(input);

    public static Tensor det(Tensor input) => linalg.det(input);

    public static Tensor logdet(Tensor input) => input.logdet();

    public static Tensor cholesky(Tensor input) => linalg.cholesky(input);
}
