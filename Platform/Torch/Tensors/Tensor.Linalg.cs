using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    /// <summary>Products of matrices and vectors.</summary>
    public partial class Tensor
    {
        public Tensor matmul(Tensor target) => Call("matmul", this, target);

        public Tensor mm(Tensor target) => Call("mm", this, target);

        public Tensor bmm(Tensor batch2) => Call("bmm", this, batch2);

        public Tensor mv(Tensor vec) => Call("mv", this, vec);

        public Tensor dot(Tensor target) => Call("dot", this, target);

        public Tensor outer(Tensor vec2) => Call("outer", this, vec2);

        public Tensor inner(Tensor vec2) => Call("inner", this, vec2);

        public Tensor kron(Tensor other) => Call("kron", this, other);

        public Tensor addmm(Tensor mat1, Tensor mat2, double beta = 1, double alpha = 1) => Call("addmm", this, mat1, mat2, beta, alpha);

        public Tensor baddbmm(Tensor batch1, Tensor batch2, double beta = 1, double alpha = 1) => Call("baddbmm", this, batch1, batch2, beta, alpha);

        public Tensor inverse() => linalg.inv(this);

        public Tensor det() => linalg.det(this);

        public Tensor cholesky() => linalg.cholesky(this);
    }
}
