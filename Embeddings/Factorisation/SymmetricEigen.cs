namespace Recsys.Embeddings.Factorisation;

/// <summary>Eigenvalues and eigenvectors of small symmetric matrices by cyclic Jacobi rotations (Golub and Van Loan, section
/// 8.5).</summary>
internal static class SymmetricEigen
{
    private const int MostSweeps = 60;

    /// <param name="upper">[width × width]; the upper triangle is read.</param>
    /// <returns>Eigenvalues in descending order and their eigenvectors as columns, [width × width].</returns>
    public static (double[] Values, double[] Vectors) Decompose(double[] upper, int width)
    {
        var a = new double[width * width];
        var rows = new double[width * width]; // eigenvectors as rows: a rotation then touches two contiguous runs
        for (int i = 0; i < width; i++)
        {
            rows[(i * width) + i] = 1;
            for (int j = i; j < width; j++)
            {
                a[(i * width) + j] = a[(j * width) + i] = upper[(i * width) + j];
            }
        }

        double scale = a.Select(Math.Abs).DefaultIfEmpty(0).Max();
        for (int sweep = 0; sweep < MostSweeps && OffDiagonal(a, width) > 1e-14 * scale; sweep++)
        {
            for (int p = 0; p < width - 1; p++)
            {
                for (int q = p + 1; q < width; q++)
                {
                    Rotate(a, rows, width, p, q);
                }
            }
        }

        var order = Enumerable.Range(0, width).OrderByDescending(i => a[(i * width) + i]).ToArray();
        var vectors = new double[width * width];
        for (int column = 0; column < width; column++)
        {
            for (int i = 0; i < width; i++)
            {
                vectors[(i * width) + column] = rows[(order[column] * width) + i];
            }
        }

        return (order.Select(i => a[(i * width) + i]).ToArray(), vectors);
    }

    private static double OffDiagonal(double[] a, int width)
    {
        double most = 0;
        for (int i = 0; i < width; i++)
        {
            for (int j = i + 1; j < width; j++)
            {
                most = Math.Max(most, Math.Abs(a[(i * width) + j]));
            }
        }

        return most;
    }

    private static void Rotate(double[] a, double[] rows, int width, int p, int q)
    {
        double apq = a[(p * width) + q];
        if (apq == 0)
        {
            return;
        }

        double theta = (a[(q * width) + q] - a[(p * width) + p]) / (2 * apq);
        double t = (theta >= 0 ? 1 : -1) / (Math.Abs(theta) + Math.Sqrt((theta * theta) + 1));
        double c = 1 / Math.Sqrt((t * t) + 1), s = t * c;
        for (int k = 0; k < width; k++)
        {
            double akp = a[(k * width) + p], akq = a[(k * width) + q];
            (a[(k * width) + p], a[(k * width) + q]) = ((c * akp) - (s * akq), (s * akp) + (c * akq));
        }

        RotateRows(a.AsSpan(p * width, width), a.AsSpan(q * width, width), c, s);
        RotateRows(rows.AsSpan(p * width, width), rows.AsSpan(q * width, width), c, s);
    }

    private static void RotateRows(Span<double> p, Span<double> q, double c, double s)
    {
        for (int k = 0; k < p.Length; k++)
        {
            (p[k], q[k]) = ((c * p[k]) - (s * q[k]), (s * p[k]) + (c * q[k]));
        }
    }
}
