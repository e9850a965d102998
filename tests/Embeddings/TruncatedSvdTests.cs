using TorchSharp;

namespace Recsys.Embeddings.Tests;

public class TruncatedSvdTests
{
    [Fact]
    public void Leading_singular_values_are_those_of_the_matrix()
    {
        var matrix = RandomSparse(60, 40, 0.3, 5);
        var svd = Svd(matrix, 10, 1);
        using var scope = torch.NewDisposeScope();
        var exact = torch.linalg.svd(torch.tensor(Dense(matrix), [60, 40]), fullMatrices: false);
        float[] u = exact.U.contiguous().data<float>().ToArray(), s = exact.S.data<float>().ToArray();
        float[] vh = exact.Vh.contiguous().data<float>().ToArray();
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
        var svd = Svd(matrix, 12, 1);
        for (int row = 0; row < 30; row++)
        {
            for (int column = 0; column < 12; column++)
            {
                double sum = Enumerable.Range(0, 12).Sum(k => svd.U[(row * 12) + k] * svd.S[k] * svd.V[(column * 12) + k]);
                Assert.Equal(TfIdfTests.At(matrix, row, column), sum, 4);
            }
        }
    }

    [Fact]
    public void Columns_beyond_the_matrix_rank_are_zero_and_the_others_orthonormal()
    {
        // Rank 2: every row is (1, 2, 0, …) or (0, 0, 3, …).
        var matrix = new SparseMatrix(5, 6, [0, 0, 1, 2, 2, 3, 4, 4], [0, 1, 2, 0, 1, 2, 0, 1], [1, 2, 3, 1, 2, 3, 1, 2]);
        var svd = Svd(matrix, 4, 3);
        Assert.Equal(Math.Sqrt(18), svd.S[0], 4);
        Assert.Equal(Math.Sqrt(15), svd.S[1], 4);
        Assert.Equal([0f, 0f], svd.S[2..]);
        float Gram(int i, int j) => Enumerable.Range(0, 5).Sum(row => svd.U[(row * 4) + i] * svd.U[(row * 4) + j]);
        Assert.Equal(
            [1f, 0f, 1f, 0f, 0f],
            new[] { Gram(0, 0), Gram(0, 1), Gram(1, 1), Gram(2, 2), Gram(3, 3) }.Select(value => MathF.Round(value, 5)));
    }

    [Fact]
    public void Same_seed_gives_the_same_bytes_and_another_seed_the_same_answer()
    {
        var matrix = RandomSparse(200, 100, 0.1, 7);
        var (one, two, other) = (Svd(matrix, 8, 1), Svd(matrix, 8, 1), Svd(matrix, 8, 2, 15));
        Assert.Equal(one.U, two.U);
        Assert.Equal(one.S[0], other.S[0], 4);
        Assert.Equal(Math.Abs(one.U[0]), Math.Abs(other.U[0]), 3);
    }

    [Fact]
    public void Item_vectors_are_the_weighted_left_vectors_at_unit_length_and_empty_rows_have_none()
    {
        var matrix = RandomSparse(40, 20, 0.2, 8) with { Rows = 42 }; // the last two rows are empty
        var vectors = matrix.ItemVectors("x", "space", 5, power: 0.5, 6, 1, default);
        var svd = Svd(matrix with { Rows = 40 }, 5, 1, powerIterations: 6);
        Assert.Equal(Enumerable.Range(0, 42).Select(row => row < 40), vectors.Present);
        for (int row = 0; row < 40; row++)
        {
            double[] expected = [.. Enumerable.Range(0, 5).Select(k => svd.U[(row * 5) + k] * Math.Sqrt(svd.S[k]))];
            double length = Math.Sqrt(expected.Sum(value => value * value));
            Assert.All(Enumerable.Range(0, 5), k => Assert.Equal(expected[k] / length, vectors.Row(row)[k], 4));
        }
    }

    private static TruncatedSvd Svd(SparseMatrix matrix, int rank, long seed, int powerIterations = 4)
    {
        using var scope = torch.NewDisposeScope();
        return TruncatedSvd.Of(matrix.ToTensor(), matrix.ToTensor(transposed: true), rank, seed, powerIterations);
    }

    private static SparseMatrix RandomSparse(int rows, int columns, double density, int seed)
    {
        var random = new Random(seed);
        var entries = Enumerable.Range(0, rows * columns)
            .Select(at => (At: at, Value: random.NextDouble() < density ? (float)random.NextDouble() : 0))
            .Where(entry => entry.Value > 0).ToArray();
        return new SparseMatrix(
            rows, columns,
            [.. entries.Select(entry => (long)(entry.At / columns))],
            [.. entries.Select(entry => (long)(entry.At % columns))],
            [.. entries.Select(entry => entry.Value)]);
    }

    private static float[] Dense(SparseMatrix matrix)
    {
        var dense = new float[matrix.Rows * matrix.Columns];
        for (int i = 0; i < matrix.Values.Length; i++)
        {
            dense[(matrix.RowIndexes[i] * matrix.Columns) + matrix.ColumnIndexes[i]] = matrix.Values[i];
        }

        return dense;
    }
}
