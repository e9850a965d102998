using static Recsys.Torch.torch;

namespace Recsys.Torch.Tests;

public class MatrixRootTests
{
    [Fact]
    public void A_root_of_a_singular_matrix_squares_to_it()
    {
        using var scope = NewDisposeScope();
        Tensor x = randn(3, 5, 2, ScalarType.Float64), a = x.matmul(x.transpose(1, 2)); // rank 2 of 5
        Tensor root = MatrixRoot.Of(a);
        Assert.True(root.matmul(root).allclose(a, atol: 1e-9));
        Assert.True(root.allclose(root.transpose(1, 2), atol: 1e-12));
    }

    [Fact]
    public void The_trace_of_a_product_s_root_is_the_sum_of_the_roots_of_its_eigenvalues()
    {
        using var scope = NewDisposeScope();
        // Diagonal in one basis: eigenvalues multiply.
        Tensor q = linalg.qr(randn(4, 4, ScalarType.Float64)).Q;
        Tensor a = (q * tensor(new double[] { 1, 4, 0, 9 })).matmul(q.t()), b = (q * tensor(new double[] { 16, 1, 5, 4 })).matmul(q.t());
        Assert.Equal(4 + 2 + 0 + 6, MatrixRoot.TraceOfProduct(a, b).ToDouble(), 1e-6);

        // Without a common basis: for 2 × 2, tr √M = √(tr M + 2 √det M).
        Tensor c = tensor(new double[,] { { 2, 1 }, { 1, 3 } }), d = tensor(new double[,] { { 5, -2 }, { -2, 1 } }), m = c.matmul(d);
        double expected = Math.Sqrt(m.trace().ToDouble() + (2 * Math.Sqrt(linalg.det(m).ToDouble())));
        Assert.Equal(expected, MatrixRoot.TraceOfProduct(c, d).ToDouble(), 1e-12);
        Assert.Equal(expected, MatrixRoot.TraceOfProduct(stack([c, c]), stack([d, d]))[1].ToDouble(), 1e-12);
    }
}
