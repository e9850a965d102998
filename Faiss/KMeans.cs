using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Recsys.Faiss.Native;
using static Recsys.Faiss.Native.NativeMethods;

namespace Recsys.Faiss;

/// <summary>How the first centroids are chosen.</summary>
public enum KMeansSeeding
{
    /// <summary>k-means++ (Arthur and Vassilvitskii 2007): far-apart points, out of all or of 64 a centroid (16,384 at least) at even
    /// distances; distinct as long as these have k distinct ones.</summary>
    PlusPlus,

    /// <summary>A uniform random sample, as FAISS does by itself.</summary>
    Random,
}

/// <summary>Gives each point its nearest centroid.</summary>
/// <param name="points">[n × dim], row-major.</param>
/// <param name="centroids">[k × dim]</param>
/// <param name="dim">Values of a point.</param>
/// <param name="nearest">[n] the answers, 0 to k − 1.</param>
public delegate void NearestCentroids(ReadOnlySpan<float> points, ReadOnlySpan<float> centroids, int dim, Span<long> nearest);

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

    /// <summary>A faster search for the nearest centroids; null: FAISS's own.</summary>
    public NearestCentroids? Nearest { get; init; }
}

/// <param name="Centroids">Row-major [k, dim].</param>
/// <param name="Objective">Sum over all points of the squared distance to the nearest centroid.</param>
/// <param name="Assignment">The nearest centroid of every point [n].</param>
public sealed record KMeansResult(float[] Centroids, double Objective, long[] Assignment);

/// <summary>Lloyd's k-means by FAISS.</summary>
public static class KMeans
{
    /// <summary>Clusters <paramref name="data"/>, row-major [n, dim], into <paramref name="k"/> centroids. More than 256 points a centroid
    /// are subsampled for training, never for assignment and objective.</summary>
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
        var search = new Search(options.Nearest);
        var handle = GCHandle.Alloc(search);
        try
        {
            fixed (float* x = data, centroidsOut = centroids)
            fixed (long* assignmentOut = assignment)
            {
                int status = rf_kmeans(
                    x, n, dim, k, options.Iterations, options.Restarts, options.Seed, options.Seeding == KMeansSeeding.PlusPlus ? 1 : 0,
                    options.Nearest is null ? null : &Answer, GCHandle.ToIntPtr(handle), centroidsOut, assignmentOut, out double objective);
                search.Fault?.Throw();
                Check(status, "k-means");
                return new KMeansResult(centroids, objective, assignment);
            }
        }
        finally
        {
            handle.Free();
        }
    }

    [UnmanagedCallersOnly]
    private static unsafe int Answer(nint context, float* points, long n, float* centroids, long k, long dim, long* nearest)
    {
        var search = (Search)GCHandle.FromIntPtr(context).Target!;
        try
        {
            search.Nearest!(
                new(points, checked((int)(n * dim))), new(centroids, checked((int)(k * dim))), (int)dim, new(nearest, (int)n));
            return 0;
        }
        catch (Exception fault) // no exception may cross the C++
        {
            search.Fault = ExceptionDispatchInfo.Capture(fault);
            return 1;
        }
    }

    private sealed class Search(NearestCentroids? nearest)
    {
        public NearestCentroids? Nearest => nearest;

        public ExceptionDispatchInfo? Fault { get; set; }
    }
}
