using Recsys.Faiss.Native;
using static Recsys.Faiss.Native.NativeMethods;

namespace Recsys.Faiss;

/// <summary>How the first centroids are chosen.</summary>
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
    /// <summary>Lloyd iterations, at least 1 (0 is allowed with k-means++ and only assigns).</summary>
    public int Iterations { get; init; } = 25;

    /// <summary>Same seed, data, options and number of threads give the same bytes on one machine.</summary>
    public int Seed { get; init; } = 1234;

    public KMeansSeeding Seeding { get; init; } = KMeansSeeding.PlusPlus;

    /// <summary>Runs from this many seeds (Seed, Seed + 1, …) and keeps the best.</summary>
    public int Restarts { get; init; } = 1;
}

/// <param name="Centroids">Row-major [k, dim].</param>
/// <param name="Objective">Sum over all points of the squared distance to the nearest centroid.</param>
/// <param name="Assignment">The nearest centroid of every point [n].</param>
public sealed record KMeansResult(float[] Centroids, double Objective, long[] Assignment);

/// <summary>Lloyd's k-means by FAISS.</summary>
public static class KMeans
{
    /// <summary>Clusters <paramref name="data"/>, row-major [n, dim], into <paramref name="k"/> centroids. More than 256 points a centroid
    /// are subsampled for training, never for seeding, assignment and objective.</summary>
    /// <remarks>Where the data has fewer than k distinct points (all-zero residuals, say), centroids repeat: exactly k come back, and a
    /// caller whose codes must differ removes the repeated ones.</remarks>
    /// <exception cref="FaissException">k above n, a length that does not fit, a value that is not finite or beyond ±1e15.</exception>
    public static unsafe KMeansResult Train(ReadOnlySpan<float> data, int dim, int k, KMeansOptions? options = null)
    {
        options ??= new KMeansOptions();
        Rows.Dim(dim);
        int n = Rows.Count(data, dim, "k-means");
        if (k < 1 || k > n)
        {
            throw new FaissException("k-means: the number of centroids", k, $"from 1 to the {n} points", "ask for fewer or pass more");
        }

        int min = options.Seeding == KMeansSeeding.Random ? 1 : 0;
        Rows.Range("k-means: the number of iterations", options.Iterations, min, int.MaxValue, "25 are usual");
        Rows.Range("k-means: the number of restarts", options.Restarts, 1, int.MaxValue, "1 runs once");
        var centroids = Rows.Allocate<float>(k, dim, "k-means: centroids");
        var assignment = new long[n];
        fixed (float* x = data, centroidsOut = centroids)
        fixed (long* assignmentOut = assignment)
        {
            int status = rf_kmeans(
                x, n, dim, k, options.Iterations, options.Restarts, options.Seed, options.Seeding == KMeansSeeding.PlusPlus ? 1 : 0,
                centroidsOut, assignmentOut, out double objective);
            Check(status, "k-means");
            return new KMeansResult(centroids, objective, assignment);
        }
    }
}
