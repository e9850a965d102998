namespace Recsys.Faiss.Tests;

public class KMeansTests
{
    private const int Dim = 8;

    [Theory]
    [InlineData(KMeansSeeding.PlusPlus)]
    [InlineData(KMeansSeeding.Random)]
    public void Objective_and_assignment_equal_a_brute_force_reading_of_the_centroids(KMeansSeeding seeding)
    {
        float[] data = Points.Gaussian(500, Dim, seed: 3);
        KMeansResult result = KMeans.Train(data, Dim, 16, new KMeansOptions { Seeding = seeding });
        double inertia = 0;
        for (int i = 0; i < 500; i++)
        {
            var nearest = Points.Nearest(result.Centroids, Points.Row(data, i, Dim), 1)[0];
            Assert.Equal(
                nearest.Distance, Points.Squared(Points.Row(data, i, Dim), Points.Row(result.Centroids, result.Assignment[i], Dim)), 1e-4);
            inertia += nearest.Distance;
        }

        Assert.Equal(inertia, result.Objective, 1e-2);
    }

    [Fact]
    public void Separated_points_are_found_exactly()
    {
        float[] corners = [.. Enumerable.Range(0, Dim * Dim).Select(i => i / Dim == i % Dim ? 1f : 0f)];
        float[] data = [.. Enumerable.Repeat(corners, 20).SelectMany(rows => rows)];
        KMeansResult result = KMeans.Train(data, Dim, Dim);
        Assert.Equal(0, result.Objective);
        Assert.Equal(Sorted(corners), Sorted(result.Centroids));
    }

    [Theory]
    [InlineData(KMeansSeeding.PlusPlus)]
    [InlineData(KMeansSeeding.Random)]
    public void One_more_iteration_never_raises_the_objective(KMeansSeeding seeding)
    {
        float[] data = Points.Clustered(600, Dim, seed: 5);
        double before = double.PositiveInfinity;
        for (int iterations = 1; iterations <= 15; iterations++)
        {
            double now = KMeans.Train(data, Dim, 20, new KMeansOptions { Iterations = iterations, Seeding = seeding }).Objective;
            Assert.True(now <= before * (1 + 1e-6), $"{now} after {iterations} iterations, {before} after one less");
            before = now;
        }
    }

    [Fact]
    public void Every_centroid_is_the_mean_of_its_points_once_converged()
    {
        float[] data = Points.Gaussian(300, Dim, seed: 5);
        KMeansResult result = KMeans.Train(data, Dim, 5, new KMeansOptions { Iterations = 300 });
        for (int c = 0; c < 5; c++)
        {
            int[] mine = [.. Enumerable.Range(0, 300).Where(i => result.Assignment[i] == c)];
            float[] mean = [.. Enumerable.Range(0, Dim).Select(j => (float)mine.Average(i => (double)data[(i * Dim) + j]))];
            Points.Near(mean, Points.Row(result.Centroids, c, Dim).ToArray(), 1e-4);
        }
    }

    [Fact]
    public void Same_seed_gives_the_same_bytes_and_another_seed_others()
    {
        float[] data = Points.Gaussian(2000, Dim, seed: 7);
        float[] Run(int seed) => KMeans.Train(data, Dim, 32, new KMeansOptions { Seed = seed, Iterations = 5 }).Centroids;
        Assert.Equal(Run(1), Run(1));
        Assert.NotEqual(Run(1), Run(2));
    }

    [Fact]
    public void The_best_of_several_restarts_is_kept()
    {
        float[] data = Points.Gaussian(400, Dim, seed: 9);
        double Run(int seed, int restarts) =>
            KMeans.Train(data, Dim, 12, new KMeansOptions { Iterations = 3, Seed = seed, Restarts = restarts }).Objective;
        Assert.Equal(Enumerable.Range(40, 6).Min(seed => Run(seed, 1)), Run(40, 6));
    }

    [Fact]
    public void Fewer_distinct_points_than_centroids_repeat_a_centroid()
    {
        KMeansResult zeros = KMeans.Train(new float[10 * Dim], Dim, 4);
        Assert.Equal(new float[4 * Dim], zeros.Centroids);
        Assert.Equal(0, zeros.Objective);
        Assert.Equal([1f, 1f, 2f, 3f], KMeans.Train([1, 1, 2, 3], 1, 4).Centroids.Order());
    }

    [Theory]
    [InlineData(KMeansSeeding.PlusPlus)]
    [InlineData(KMeansSeeding.Random)]
    public void The_caller_s_search_takes_the_place_of_FAISS_s_own(KMeansSeeding seeding)
    {
        float[] data = Points.Gaussian(500, Dim, seed: 3);
        int calls = 0;
        var options = new KMeansOptions { Seeding = seeding, Iterations = 7 };
        KMeansResult own = KMeans.Train(data, Dim, 16, options), ours = KMeans.Train(data, Dim, 16, options with
        {
            Nearest = (points, centroids, dim, nearest) =>
            {
                calls++;
                float[] all = centroids.ToArray();
                for (int row = 0; row < nearest.Length; row++)
                {
                    nearest[row] = Points.Nearest(all, points.Slice(row * dim, dim).ToArray(), 1)[0].Id;
                }
            },
        });
        Assert.Equal(8, calls); // and once for the assignment
        Assert.Equal(own.Assignment, ours.Assignment);
        Points.Near(own.Centroids, ours.Centroids, 1e-5);
        Assert.Equal(own.Objective, ours.Objective, 1e-3);
    }

    [Fact]
    public void What_the_caller_s_search_throws_comes_through()
    {
        var options = new KMeansOptions { Nearest = (_, _, _, _) => throw new OperationCanceledException("enough") };
        Assert.Equal("enough", Assert.Throws<OperationCanceledException>(
            () => KMeans.Train(Points.Gaussian(50, Dim, seed: 3), Dim, 4, options)).Message);
    }

    [Fact]
    public void One_point_is_its_own_centroid() => Assert.Equal([7f, -2f], KMeans.Train([7, -2], 2, 1).Centroids);

    [Fact]
    public void Wrong_arguments_are_typed_errors_that_name_the_value()
    {
        float[] data = new float[12];
        Points.Refuses("number of centroids is 5", () => KMeans.Train(data, 3, 5));
        Points.Refuses("number of centroids is 0", () => KMeans.Train(data, 3, 0));
        Points.Refuses("number of centroids is 1", () => KMeans.Train([], 3, 1));
        Points.Refuses("number of values is 12, but must be a multiple of the dimension 5", () => KMeans.Train(data, 5, 1));
        Points.Refuses("dimension is 0", () => KMeans.Train(data, 0, 1));
        var never = new KMeansOptions { Iterations = 0, Seeding = KMeansSeeding.Random };
        Points.Refuses("iterations is 0", () => KMeans.Train(data, 3, 2, never));
        data[7] = float.NaN;
        Points.Refuses("row 2, component 1 is NaN", () => KMeans.Train(data, 3, 2));
        data[7] = 2e15f;
        var error = Assert.Throws<FaissException>(() => KMeans.Train(data, 3, 2));
        Assert.Equal((2e15f, "finite and within ±1e15"), ((float)error.Value!, error.Limit));
    }

    private static IEnumerable<string> Sorted(float[] rows) => rows.Chunk(Dim).Select(row => string.Join(',', row)).Order();
}
