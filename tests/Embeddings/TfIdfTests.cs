using Recsys.Embeddings.Text;

namespace Recsys.Embeddings.Tests;

public class TfIdfTests
{
    // n = 3; df: a 2, b 2, c 1. idf(a) = idf(b) = ln(4/3) + 1, idf(c) = ln(4/2) + 1.
    private static readonly string[][] Documents = [["a", "b", "b"], ["b"], ["a", "c"]];

    [Fact]
    public void Weights_are_those_computed_by_hand()
    {
        var tfIdf = TfIdf.Of(Documents, 1, 100);
        Assert.Equal(["a", "b", "c"], tfIdf.Terms);

        double idf = Math.Log(4.0 / 3) + 1, a = idf, b = (1 + Math.Log(2)) * idf, norm = Math.Sqrt((a * a) + (b * b));
        Assert.Equal(a / norm, At(tfIdf.Weights, 0, 0), 6);
        Assert.Equal(b / norm, At(tfIdf.Weights, 0, 1), 6);
        Assert.Equal(0, At(tfIdf.Weights, 0, 2));
        Assert.Equal(1, At(tfIdf.Weights, 1, 1), 6);

        double c = Math.Log(2.0) + 1, length = Math.Sqrt((idf * idf) + (c * c));
        Assert.Equal(idf / length, At(tfIdf.Weights, 2, 0), 6);
        Assert.Equal(c / length, At(tfIdf.Weights, 2, 2), 6);
    }

    [Fact]
    public void Rare_terms_are_dropped() => Assert.Equal(["a", "b"], TfIdf.Of(Documents, 2, 100).Terms);

    [Fact]
    public void The_most_frequent_terms_are_kept() => Assert.Equal(["a"], TfIdf.Of([["c", "a"], ["a", "b"], ["b", "c", "a"]], 1, 1).Terms);

    internal static float At(SparseMatrix matrix, int row, int column)
        => Enumerable.Range(0, matrix.Values.Length).Where(i => matrix.RowIndexes[i] == row && matrix.ColumnIndexes[i] == column)
            .Select(i => matrix.Values[i]).SingleOrDefault();
}
