namespace Recsys.Faiss.Tests;

public class KMeansTests
{
    private const int Dim = 8;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Separated_points_are_found_exactly(bool spherical)
    {
        float[] corners = Corners(Dim);                 // [8, 8]: the unit vectors
        float[] data = Repeat(corners, 20);             // [160, 8]
        KMeansResult result = KMeans.Train(data, Dim, 8, new KMeansOptions { Spherical = spherical });
        Assert.Equal(spherical ? 160.0 : 0.0, result.Objective, 1e-4);
        IEnumerable<string> found = Rows(result.Centroids).Order();
        Assert.Equal(Rows(corners).Order(), found);
        Assert.All(Enumerable.Range(0, 160), i => Assert.Equal(result.Assignment[i % 8], result.Assignment[i]));
    }

    [Fact]
    public void Objective_and_assignment_equal_a_brute_force_reading_of_the_centroids()
    {
        float[] data = Gaussian(500, seed: 3);
        KMeansResult result = KMeans.Train(data, Dim, 16);
        double inertia = 0;
        for (int i = 0; i < 500; i++)
        {
            double[] distances = [.. Enumerable.Range(0, 16).Select(c => Squared(data.AsSpan(i * Dim, Dim), result.Centroid(c, Dim)))];
            Assert.Equal(distances.Min(), distances[result.Assignment[i]], 1e-4);
            inertia += distances.Min();
        }

        Assert.Equal(inertia, result.Objective, 1e-2);
    }

    [Fact]
    public void Every_centroid_is_the_mean_of_its_points_once_converged()
    {
        float[] data = Gaussian(300, seed: 5);
        KMeansResult result = KMeans.Train(data, Dim, 5, new KMeansOptions { Iterations = 300 });
        for (int c = 0; c < 5; c++)
        {
            int[] mine = [.. Enumerable.Range(0, 300).Where(i => result.Assignment[i] == c)];
            for (int j = 0; j < Dim; j++)
            {
                Assert.Equal(mine.Average(i => (double)data[i * Dim + j]), (double)result.Centroid(c, Dim)[j], 1e-4);
            }
        }
    }

    [Fact]
    public void Same_seed_gives_the_same_bytes_and_another_seed_others()
    {
        float[] data = Gaussian(2000, seed: 7);
        float[] Run(int seed) => KMeans.Train(data, Dim, 32, new KMeansOptions { Seed = seed, Iterations = 5 }).Centroids;
        Assert.Equal(Run(1), Run(1));
        Assert.NotEqual(Run(1), Run(2));
    }

    [Fact]
    public void More_restarts_never_make_the_objective_worse()
    {
        float[] data = Gaussian(400, seed: 9);
        double one = KMeans.Train(data, Dim, 12, new KMeansOptions { Iterations = 3 }).Objective;
        double many = KMeans.Train(data, Dim, 12, new KMeansOptions { Iterations = 3, Restarts = 6 }).Objective;
        Assert.True(many <= one, $"{many} after six seeds, {one} after one");
    }

    [Fact]
    public void A_weight_moves_the_mean_by_its_share()
    {
        float[] data = [0, 0, 0, 0, 4, 0, 0, 0];        // two points [2, 4]
        KMeansResult result = KMeans.Train(data, 4, 1, new KMeansOptions { Weights = [3, 1] });
        Assert.Equal([1f, 0f, 0f, 0f], result.Centroids);
        Assert.Equal(3 * 1 + 1 * 9, result.Objective, 1e-5);
    }

    [Fact]
    public void Given_centroids_and_no_iterations_only_assign()
    {
        float[] data = [0.1f, 0.9f, 0.2f, 0.7f];        // [4, 1]
        KMeansResult result = KMeans.Train(data, 1, 2, new KMeansOptions { Iterations = 0, InitialCentroids = [0, 1] });
        Assert.Equal([0f, 1f], result.Centroids);
        Assert.Equal([0L, 1L, 0L, 1L], result.Assignment);
        Assert.Equal(0.01 + 0.01 + 0.04 + 0.09, result.Objective, 1e-5);
    }

    [Fact]
    public void Spherical_centroids_have_unit_length()
    {
        KMeansResult result = KMeans.Train(Gaussian(300, seed: 2), Dim, 10, new KMeansOptions { Spherical = true });
        Assert.All(Enumerable.Range(0, 10), c => Assert.Equal(1, Squared(result.Centroid(c, Dim), new float[Dim]), 1e-4));
    }

    [Fact]
    public void As_many_centroids_as_points_are_the_points_even_when_some_are_equal()
    {
        float[] data = [1, 1, 2, 3];
        KMeansResult result = KMeans.Train(data, 1, 4);
        Assert.Equal(0, result.Objective);
        Assert.Equal([1f, 1f, 2f, 3f], result.Centroids.Order());
    }

    [Fact]
    public void Wrong_arguments_are_typed_errors_that_name_the_value()
    {
        float[] data = new float[12];
        Refuses("k is 5", () => KMeans.Train(data, 3, 5));
        Refuses("k is 0", () => KMeans.Train(data, 3, 0));
        Refuses("12 values", () => KMeans.Train(data, 5, 1));
        Refuses("2 weights", () => KMeans.Train(data, 3, 2, new KMeansOptions { Weights = [1, 2] }));
        Refuses("weight -1", () => KMeans.Train(data, 3, 2, new KMeansOptions { Weights = [1, 2, -1, 1] }));
        Refuses("weight NaN", () => KMeans.Train(data, 3, 2, new KMeansOptions { Weights = [1, 2, float.NaN, 1] }));
        Refuses("initial centroids", () => KMeans.Train(data, 3, 2, new KMeansOptions { InitialCentroids = [1] }));
        Refuses("iterations 0", () => KMeans.Train(data, 3, 2, new KMeansOptions { Iterations = 0, Seeding = KMeansSeeding.Random }));
        data[7] = float.NaN;
        Refuses("row 2, component 1 is not finite", () => KMeans.Train(data, 3, 2));
    }

    private static void Refuses(string part, Action action) => Assert.Contains(part, Assert.Throws<FaissException>(action).Message);

    private static float[] Corners(int dim) => [.. Enumerable.Range(0, dim * dim).Select(i => i / dim == i % dim ? 1f : 0f)];

    private static float[] Repeat(float[] rows, int times) => [.. Enumerable.Repeat(rows, times).SelectMany(r => r)];

    private static IEnumerable<string> Rows(float[] values) => values.Chunk(Dim).Select(row => string.Join(',', row));

    internal static float[] Gaussian(int rows, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, rows * Dim).Select(_ => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];
    }

    internal static double Squared(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        }

        return sum;
    }
}
