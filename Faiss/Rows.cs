namespace Recsys.Faiss;

/// <summary>Checks of row-major matrices and numbers before FAISS, which believes what it is told, sees them.</summary>
internal static class Rows
{
    /// <summary>Largest magnitude of a component: beyond it squared distances overflow, which FAISS takes for "no neighbour".</summary>
    internal const float MaxValue = 1e15f;

    internal const int MaxDim = 65_536;

    /// <summary>The number of rows in <paramref name="values"/>, all of them whole, finite and within ±1e15.</summary>
    internal static int Count(ReadOnlySpan<float> values, int dim, string what)
    {
        if (values.Length % dim != 0)
        {
            throw new FaissException(
                $"{what}: the number of values", values.Length, $"a multiple of the dimension {dim}", "pass row-major [n, dim]");
        }

        for (int i = 0; i < values.Length; i++)
        {
            if (!(MathF.Abs(values[i]) <= MaxValue))
            {
                throw new FaissException(
                    $"{what}: row {i / dim}, component {i % dim}", values[i], "finite and within ±1e15", "leave the row out or mend it");
            }
        }

        return values.Length / dim;
    }

    internal static void Range(string what, long value, long min, long max, string remedy)
    {
        if (value < min || value > max)
        {
            throw new FaissException(what, value, $"between {min} and {max}", remedy);
        }
    }

    internal static void Dim(int dim) => Range("the dimension", dim, 1, MaxDim, "pass the length of one vector");

    /// <summary>An array of this many rows; a typed error where one array cannot hold them.</summary>
    internal static T[] Allocate<T>(long rows, int width, string what)
    {
        Range($"{what}: the number of values", rows * width, 0, Array.MaxLength, "pass fewer rows at a time");
        return new T[rows * width];
    }
}
