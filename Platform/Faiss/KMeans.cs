using Recsys.Faiss.Native;
using static Recsys.Faiss.Native.NativeMethods;

namespace Recsys.Faiss;

/// <summary>How the first centroids are chosen when none are given.</summary>
public enum KMeansSeeding
{
    /// <summary>k-means++ (Arthur and Vassilvitskii 2007): far-apart points; distinct as long as the data has k distinct points.</summary>
    PlusPlus,

    /// <summary>A uniform random sample, as FAISS does by itself.</summary>
    Random,
}

/// <summary>Settings of <see cref="KMeans.Train"/>; the defaults are those of FAISS except for the seeding.</summary>
public sealed record KMeansOptions
{
    /// <summary>Lloyd iterations, at least 1 (0 is allowed with <see cref="InitialCentroids"/> or k-means++ and only assigns).</summary>
    public int Iterations { get; init; } = 25;

    /// <summary>Same seed, data and options give the same bytes.</summary>
    public int Seed { get; init; } = 1234;

    /// <summary>Points and centroids are scaled to unit length; the nearest centroid is that of the largest inner product.</summary>
    public bool Spherical { get; init; }

    /// <summary>One non-negative weight a point, or null for all equal.</summary>
    public float[]? Weights { get; init; }

    /// <summary>First centroids, row-major [k, dim], or null.</summary>
    public float[]? InitialCentroids { get; init; }

    public KMeansSeeding Seeding { get; init; } = KMeansSeeding.PlusPlus;

    /// <summary>Runs from this many seeds (Seed, Seed + 1, …) and keeps the best.</summary>
    public int Restarts { get; init; } = 1;

    /// <summary>More points than k times this are subsampled for training (never for the assignment and the objective).</summary>
    public int MaxPointsPerCentroid { get; init; } = 256;
}

/// <param name="Centroids">Row-major [k, dim].</param>
/// <param name="Objective">Weighted sum over all points of the squared distance to the nearest centroid (spherical: of inner products).</param>
/// <param name="Assignment">The nearest centroid of every point [n].</param>
public sealed record KMeansResult(float[] Centroids, double Objective, long[] Assignment)
{
    /// <summary>Values of one centroid [dim].</summary>
    public ReadOnlySpan<float> Centroid(int index, int dim) => Centroids.AsSpan(index * dim, dim);
}

/// <summary>Lloyd's k-means by FAISS.</summary>
public static class KMeans
{
    /// <summary>Clusters <paramref name="data"/>, row-major [n, dim], into <paramref name="k"/> centroids.</summary>
    /// <exception cref="FaissException">k above n, a length that does not fit, a value that is not finite, a negative weight.</exception>
    public static unsafe KMeansResult Train(ReadOnlySpan<float> data, int dim, int k, KMeansOptions? options = null)
    {
        RequireFaiss();
        options ??= new KMeansOptions();
        int n = Validate(data.Length, dim, k, options);
        var native = new NativeKMeansOptions
        {
            Dim = dim,
            K = k,
            Iterations = options.Iterations,
            Redo = options.Restarts,
            Seed = options.Seed,
            MinPointsPerCentroid = 1,
            MaxPointsPerCentroid = options.MaxPointsPerCentroid,
            Spherical = options.Spherical ? 1 : 0,
            PlusPlus = options.Seeding == KMeansSeeding.PlusPlus ? 1 : 0,
        };
        var centroids = new float[checked(k * dim)];
        var assignment = new long[n];
        double objective = 0;
        Span<byte> error = stackalloc byte[ErrorBytes];
        fixed (float* x = data, weights = options.Weights, initial = options.InitialCentroids, centroidsOut = centroids)
        fixed (long* assignmentOut = assignment)
        fixed (byte* errorOut = error)
        {
            int status = rs_faiss_kmeans(
                in native, x, n, weights, initial, centroidsOut, assignmentOut, &objective, errorOut, error.Length);
            Check(status, error, "k-means");
        }

        return new KMeansResult(centroids, objective, assignment);
    }

    private static int Validate(int length, int dim, int k, KMeansOptions options)
    {
        if (dim < 1 || length % dim != 0)
        {
            throw new FaissException($"k-means: {length} values are not whole rows of dimension {dim}; pass row-major [n, dim]");
        }

        int n = length / dim;
        if (k < 1 || k > n)
        {
            throw new FaissException($"k-means: k is {k} but there are {n} points; k must be between 1 and the number of points");
        }

        if ((long)k * dim > Array.MaxLength)
        {
            throw new FaissException($"k-means: {k} centroids of dimension {dim} do not fit one array");
        }

        int least = options.InitialCentroids is null && options.Seeding == KMeansSeeding.Random ? 1 : 0;
        if (options.Iterations < least || options.Restarts < 1 || options.MaxPointsPerCentroid < 1)
        {
            throw new FaissException(
                $"k-means: iterations {options.Iterations} (at least {least}), restarts {options.Restarts} (at least 1) or points "
                + $"per centroid {options.MaxPointsPerCentroid} (at least 1) is out of range");
        }

        if (options.Weights is { } weights)
        {
            if (weights.Length != n)
            {
                throw new FaissException($"k-means: {weights.Length} weights for {n} points; pass one each");
            }

            int bad = Array.FindIndex(weights, w => !(w >= 0) || float.IsInfinity(w));
            if (bad < 0 && n > 0 && !weights.Any(w => w > 0))
            {
                throw new FaissException($"k-means: all {n} weights are 0; at least one point must weigh something");
            }

            if (bad >= 0)
            {
                throw new FaissException($"k-means: weight {weights[bad]} of point {bad} must be finite and not negative");
            }
        }

        if (options.InitialCentroids is { } initial)
        {
            if (initial.Length != k * dim)
            {
                throw new FaissException($"k-means: {initial.Length} values of initial centroids, expected k x dim = {k * dim}");
            }

            int bad = Array.FindIndex(initial, v => !(MathF.Abs(v) <= VectorIndex.LargestValue));
            if (bad >= 0)
            {
                throw new FaissException($"k-means: initial centroid {bad / dim}, component {bad % dim} is not within ±{VectorIndex.LargestValue:G2}");
            }
        }

        return n;
    }
}
