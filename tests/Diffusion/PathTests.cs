using Recsys.Diffusion.Paths;
using Recsys.Diffusion.Recipes;
using Recsys.Diffusion.Solvers;
using Recsys.Diffusion.Training;

namespace Recsys.Diffusion.Tests;

public class PathTests
{
    [Theory]
    [InlineData("linear", 500, .078587243, 1e-9)]
    [InlineData("linear", 1000, 4.0358e-05, 1e-9)]
    [InlineData("cosine", 1, .999958716, 1e-9)]
    [InlineData("cosine", 500, .49384359, 1e-8)]
    [InlineData("cosine", 999, 2.42876691e-06, 1e-14)]
    [InlineData("cosine", 1000, 2.42876691e-09, 1e-17)]
    public void Cumulative_alphas_are_the_published_constants(string name, int step, double alphaBar, double tolerance) =>
        Assert.Equal(alphaBar, Math.Pow(RecipeParts.Paths[name].At(step).Alpha, 2), tolerance);

    [Fact]
    public void The_cosine_path_caps_exactly_one_beta() =>
        Assert.Equal(1, DiscretePath.Cosine().Betas.Count(beta => beta == .999));

    [Fact]
    public void Every_path_starts_at_clean_data()
    {
        foreach (var path in RecipeParts.Paths.Values.Append(new VarianceExploding()))
        {
            Assert.Equal((1.0, 0.0), (path.At(0).Alpha, path.At(0).Sigma));
        }
    }

    [Theory]
    [InlineData("rectified-flow")]
    [InlineData("linear")]
    [InlineData("cosine")]
    public void Rates_are_the_derivatives_of_the_coefficients(string name)
    {
        var path = RecipeParts.Paths[name];
        foreach (double share in new[] { .1504, .3333, .7501 })
        {
            double time = share * path.MaxTime, h = 1e-5 * path.MaxTime;
            var (point, before, after) = (path.At(time), path.At(time - h), path.At(time + h));
            Assert.Equal((after.Alpha - before.Alpha) / (2 * h), point.AlphaRate, 1e-6);
            Assert.Equal((after.Sigma - before.Sigma) / (2 * h), point.SigmaRate, 1e-6);
        }
    }

    [Fact]
    public void Every_grid_falls_from_the_noise_to_0()
    {
        var cases = new (INoisePath Path, ITimeGrid Grid)[]
        {
            (new RectifiedFlow(), new LinearGrid()),
            (DiscretePath.Linear(), new LinearGrid()),
            (DiscretePath.Linear(), new LeadingGrid()),
            (new VarianceExploding(), new KarrasGrid()),
        };
        foreach (var (path, grid) in cases)
        {
            foreach (int steps in new[] { 1, 2, 7, 50 })
            {
                var times = grid.Times(path, steps);
                Assert.Equal(steps + 1, times.Length);
                Assert.Equal(0, times[^1]);
                Assert.True(times[0] <= path.MaxTime + 1e-9);
                Assert.All(times.Zip(times.Skip(1)), pair => Assert.True(pair.First > pair.Second));
            }
        }
    }

    [Fact]
    public void EDM_visits_its_published_noise_levels()
    {
        double[] published = [80, 42.415188, 21.108677, 9.723202, 4.066123, 1.501742, .469979, .116639, .020435, .002, 0];
        Assert.All(published.Zip(new KarrasGrid().Times(new VarianceExploding(), 10)), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }

    [Fact]
    public void Logit_normal_times_have_the_published_moments()
    {
        using var generator = new Generator(11);
        var times = new LogitNormalTimes().Draw(200_000, generator);
        Assert.Equal(.5, times.Average(), 4 * Math.Sqrt(.043379036 / 200_000));
        Assert.Equal(.043379036, times.Average(t => Math.Pow(t - .5, 2)), .0006);
        Assert.All(times, t => Assert.InRange(t, 1e-9, 1 - 1e-9));
    }

    [Fact]
    public void Uniform_times_fill_the_unit_interval_evenly()
    {
        using var generator = new Generator(12);
        var times = new UniformTimes().Draw(100_000, generator).Order().ToArray();
        double gap = times.Select((t, i) => Math.Abs(t - ((i + .5) / times.Length))).Max(); // Kolmogorov-Smirnov distance
        Assert.True(gap < 1.95 / Math.Sqrt(times.Length), $"KS distance {gap}");
    }
}
