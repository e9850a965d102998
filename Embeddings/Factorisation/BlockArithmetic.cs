using System.Numerics;
using System.Runtime.InteropServices;

namespace Recsys.Embeddings.Factorisation;

/// <summary>
/// The few dense operations on tall narrow blocks. Sums run in one order whatever the number of cores, so equal input gives equal bytes.
/// </summary>
internal static class BlockArithmetic
{
    // The rows of a block are cut into this many parts, however many cores there are: partial sums are added in part order.
    private const int Parts = 32;

    /// <summary>y += a·x.</summary>
    public static void AddScaled(double a, ReadOnlySpan<double> x, Span<double> y)
    {
        var vx = MemoryMarshal.Cast<double, Vector<double>>(x);
        var vy = MemoryMarshal.Cast<double, Vector<double>>(y);
        for (int i = 0; i < vx.Length; i++)
        {
            vy[i] += vx[i] * a;
        }

        for (int i = vx.Length * Vector<double>.Count; i < x.Length; i++)
        {
            y[i] += a * x[i];
        }
    }

    /// <summary>y += a·x.</summary>
    public static void AddScaled(float a, ReadOnlySpan<float> x, Span<float> y)
    {
        var vx = MemoryMarshal.Cast<float, Vector<float>>(x);
        var vy = MemoryMarshal.Cast<float, Vector<float>>(y);
        for (int i = 0; i < vx.Length; i++)
        {
            vy[i] += vx[i] * a;
        }

        for (int i = vx.Length * Vector<float>.Count; i < x.Length; i++)
        {
            y[i] += a * x[i];
        }
    }

    /// <summary>The upper triangle of yᵀ·y.</summary>
    /// <param name="y">[rows × width]</param>
    /// <returns>[width × width]; entries below the diagonal are 0.</returns>
    public static double[] UpperGram(float[] y, int width)
    {
        var partial = new double[Parts][];
        ForEachPart(y.Length / width, (part, from, to) =>
        {
            var gram = new double[width * width];
            var row = new double[width];
            for (int r = from; r < to; r++)
            {
                Widen(y.AsSpan(r * width, width), row);
                for (int i = 0; i < width; i++)
                {
                    if (row[i] != 0)
                    {
                        AddScaled(row[i], row.AsSpan(i), gram.AsSpan((i * width) + i, width - i));
                    }
                }
            }

            partial[part] = gram;
        });
        var sum = new double[width * width];
        foreach (var gram in partial)
        {
            AddScaled(1.0, gram, sum);
        }

        return sum;
    }

    /// <summary>y·w for a small w.</summary>
    /// <param name="y">[rows × width]</param>
    /// <param name="w">[width × columns]</param>
    /// <returns>[rows × columns]</returns>
    public static float[] MultiplySmall(float[] y, int width, double[] w, int columns)
    {
        int rows = y.Length / width;
        var result = new float[rows * columns];
        ForEachPart(rows, (_, from, to) =>
        {
            var sum = new double[columns];
            for (int r = from; r < to; r++)
            {
                Array.Clear(sum);
                for (int i = 0; i < width; i++)
                {
                    AddScaled(y[(r * width) + i], w.AsSpan(i * columns, columns), sum);
                }

                Narrow(sum, result.AsSpan(r * columns, columns));
            }
        });
        return result;
    }

    /// <summary>Runs the body for fixed ranges of rows, in parallel.</summary>
    public static void ForEachPart(int rows, Action<int, int, int> body) => Parallel.For(
        0,
        Parts,
        part => body(part, (int)((long)rows * part / Parts), (int)((long)rows * (part + 1) / Parts)));

    public static void Widen(ReadOnlySpan<float> from, Span<double> to)
    {
        for (int i = 0; i < from.Length; i++)
        {
            to[i] = from[i];
        }
    }

    public static void Narrow(ReadOnlySpan<double> from, Span<float> to)
    {
        for (int i = 0; i < from.Length; i++)
        {
            to[i] = (float)from[i];
        }
    }
}
