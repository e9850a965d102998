using Recsys.Embeddings.Factorisation;
using TorchSharp;

namespace Recsys.Embeddings.Tests;

public class TruncatedSvdTests
{
    [Fact]
    public void Leading_singular_values_are_those_of_the_matrix()
    {
        var matrix = RandomSparse(60, 40, 0.3, 5);
        var svd = TruncatedSvd.Of(matrix, 10, 1);
        using var scope = torch.NewDisposeScope();
        var exact = torch.linalg.svd(torch.tensor(Dense(matrix), [60, 40]), fullMatrices: false);
        var (u, s, vh) = (exact.U.contiguous().data<float>().ToArray(), exact.S.data<float>().ToArray(), exact.Vh.contiguous().data<float>().ToArray());
        for (int k = 0; k < 10; k++)
        {
            Assert.Equal(s[k], svd.S[k], 3);
        }

        // Well separated from the rest, the first pair must agree value by value, up to the sign that both may choose.
        double sign = Math.Sign(u[0]) * Math.Sign(svd.U[0]);
        Assert.All(Enumerable.Range(0, 60), row => Assert.Equal(u[row * 40], sign * svd.U[row * 10], 3));
        Assert.All(Enumerable.Range(0, 40), column => Assert.Equal(vh[column], sign * svd.V[column * 10], 3));
    }

    [Fact]
    public void Full_rank_product_gives_the_matrix_back()
    {
        var matrix = RandomSparse(30, 12, 0.5, 6);
        var svd = TruncatedSvd.Of(matrix, 12, 1);
        for (int row = 0; row < 30; row++)
        {
            for (int column = 0; column < 12; column++)
            {
                double sum = Enumerable.Range(0, 12).Sum(k => svd.U[(row * 12) + k] * svd.S[k] * svd.V[(column * 12) + k]);
                Assert.Equal(matrix[row, column], sum, 4);
            }
        }
    }

    [Fact]
    public void Columns_beyond_the_matrix_rank_are_zero_and_the_others_orthonormal()
    {
        // Rank 2: every row is (1, 2, 0, …) or (0, 0, 3, …).
        int[] offsets = [0, 2, 3, 5, 6, 8];
        var matrix = new CsrMatrix(offsets, [0, 1, 2, 0, 1, 2, 0, 1], [1, 2, 3, 1, 2, 3, 1, 2], 6);
        var svd = TruncatedSvd.Of(matrix, 4, 3);
        Assert.Equal(Math.Sqrt(18), svd.S[0], 4);
        Assert.Equal(Math.Sqrt(15), svd.S[1], 4);
        Assert.Equal([0.0, 0.0], svd.S[2..]);
        var gram = BlockArithmetic.UpperGram(svd.U, 4);
        Assert.Equal(1, gram[0], 5);
        Assert.Equal(0, gram[1], 5);
        Assert.Equal(1, gram[5], 5);
        Assert.Equal(0, gram[10], 5);
    }

    [Fact]
    public void Same_seed_gives_the_same_bytes_and_another_seed_the_same_answer()
    {
        var matrix = RandomSparse(200, 100, 0.1, 7);
        var (one, two, other) = (TruncatedSvd.Of(matrix, 8, 1), TruncatedSvd.Of(matrix, 8, 1), TruncatedSvd.Of(matrix, 8, 2, 15));
        Assert.Equal(one.U, two.U);
        Assert.Equal(one.S[0], other.S[0], 4);
        Assert.Equal(Math.Abs(one.U[0]), Math.Abs(other.U[0]), 3);
    }

    [Fact]
    public void Eigenvectors_of_a_symmetric_matrix_reconstruct_it()
    {
        double[] a = [4, 1, -2, 1, 3, 0.5, -2, 0.5, 1];
        var (values, vectors) = SymmetricEigen.Decompose(a, 3);
        for (int i = 0; i < 9; i++)
        {
            Assert.Equal(a[i], Enumerable.Range(0, 3).Sum(k => vectors[(i / 3 * 3) + k] * values[k] * vectors[(i % 3 * 3) + k]), 10);
        }
    }

    private static CsrMatrix RandomSparse(int rows, int columns, double density, int seed)
    {
        var random = new Random(seed);
        var (offsets, at, values) = (new int[rows + 1], new List<int>(), new List<float>());
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                if (random.NextDouble() < density)
                {
                    at.Add(column);
                    values.Add((float)random.NextDouble());
                }
            }

            offsets[row + 1] = at.Count;
        }

        return new CsrMatrix(offsets, [.. at], [.. values], columns);
    }

    private static float[] Dense(CsrMatrix matrix)
    {
        var dense = new float[matrix.Rows * matrix.Columns];
        for (int row = 0; row < matrix.Rows; row++)
        {
            for (int at = matrix.Offsets[row]; at < matrix.Offsets[row + 1]; at++)
            {
                dense[(row * matrix.Columns) + matrix.ColumnIndexes[at]] = matrix.Values[at];
            }
        }

        return dense;
    }
}
