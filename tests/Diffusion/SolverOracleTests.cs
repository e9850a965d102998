using Recsys.Diffusion.Paths;
using Recsys.Diffusion.Solvers;

namespace Recsys.Diffusion.Tests;

/// <summary>Solvers against closed forms on Gaussian data.</summary>
public class SolverOracleTests
{
    [Theory]
    [InlineData(2, 1, .28849529)]
    [InlineData(5, 1, .68415098)]
    [InlineData(10, 1, .83169588)]
    [InlineData(50, 1, .96407927)]
    [InlineData(100, 1, .98185083)]
    [InlineData(1000, 1, .99812429)]
    [InlineData(2, .25, .08421581)]
    [InlineData(5, .25, .26933285)]
    [InlineData(10, .25, .37412849)]
    [InlineData(50, .25, .47243911)]
    [InlineData(100, .25, .48598057)]
    [InlineData(1000, .25, .49849528)]
    public void Ddim_on_the_linear_path_scales_noise_as_the_closed_form_says(int steps, double variance, double scale)
    {
        var path = DiscretePath.Linear();
        Assert.Equal(scale, Gaussian.Scale(new Ddim(), path, new LeadingGrid().Times(path, steps), variance), 1e-7);
    }

    [Fact]
    public void Ddim_on_unit_data_turns_by_the_cosine_of_each_step()
    {
        var path = DiscretePath.Linear();
        var times = new LeadingGrid().Times(path, 10);
        double product = 1;
        for (int i = 0; i < 10; i++)
        {
            product *= Math.Cos(Math.Acos(path.At(times[i]).Alpha) - Math.Acos(path.At(times[i + 1]).Alpha));
        }

        Assert.Equal(product, Gaussian.Scale(new Ddim(), path, times, 1), 1e-12);
    }

    [Theory]
    [InlineData(1, 1, 0)]
    [InlineData(2, 1, .5)]
    [InlineData(4, 1, .72)]
    [InlineData(10, 1, .87898438)]
    [InlineData(100, 1, .98722784)]
    [InlineData(1, .25, 0)]
    [InlineData(2, .25, .2)]
    [InlineData(4, .25, .34054054)]
    [InlineData(10, .25, .4307826)]
    [InlineData(100, .25, .49264548)]
    [InlineData(1, 4, 0)]
    [InlineData(2, 4, .8)]
    [InlineData(4, 4, 1.36216216)]
    [InlineData(10, 4, 1.72313042)]
    [InlineData(100, 4, 1.97058191)]
    public void Euler_on_the_straight_path_scales_noise_as_the_closed_form_says(int steps, double variance, double scale)
    {
        var path = new RectifiedFlow();
        Assert.Equal(scale, Gaussian.Scale(new Euler(), path, new LinearGrid().Times(path, steps), variance), 1e-7);
    }

    [Theory]
    [InlineData(10, .36521307, .60979800)]
    [InlineData(18, .42303144, .52762464)]
    [InlineData(40, .46485077, .50487686)]
    public void Euler_and_Heun_reproduce_EDM_on_the_variance_exploding_path(int steps, double euler, double heun)
    {
        var path = new VarianceExploding();
        var times = new KarrasGrid().Times(path, steps);
        Assert.Equal(euler, Gaussian.Scale(new Euler(), path, times, .25, start: 80), 1e-7);
        Assert.Equal(heun, Gaussian.Scale(new Heun(), path, times, .25, start: 80), 1e-7);
    }

    [Fact]
    public void Ddim_and_Euler_are_one_on_the_straight_path()
    {
        var path = new RectifiedFlow();
        var times = new LinearGrid().Times(path, 7);
        Assert.Equal(Gaussian.Scale(new Euler(), path, times, .3), Gaussian.Scale(new Ddim(), path, times, .3), 1e-12);
    }

    [Theory]
    [InlineData("rectified-flow")]
    [InlineData("cosine-like")]
    public void Euler_converges_with_order_1_and_Heun_with_order_2(string name)
    {
        // The smooth variance-preserving path α = cos, σ = sin beside the straight one.
        // The exact flow map scales by the data's deviation.
        INoisePath path = name == "rectified-flow" ? new RectifiedFlow() : new Trigonometric();
        foreach (var (solver, order, tolerance) in new (ISolver, double, double)[] { (new Euler(), 1, .1), (new Heun(), 2, .15) })
        {
            double Error(int steps) => Math.Abs(Gaussian.Scale(solver, path, new LinearGrid().Times(path, steps), .25) - .5);
            double measured = Math.Log2(Error(200) / Error(400));
            Assert.Equal(order, measured, tolerance);
        }
    }

    [Theory]
    [InlineData(1, .42920367)]
    [InlineData(.25, .21460184)]
    [InlineData(4, .85840735)]
    public void Straightness_of_the_exact_flow_is_2_minus_half_pi_deviations(double variance, double straightness)
    {
        // E |x1 − x0 − v(x_t, t)|² over t, along exact trajectories x(t) = sqrt(t² s² + (1 − t)²) z
        // (Liu et al. 2023, section 2.2).
        var path = new RectifiedFlow();
        double deviation = Math.Sqrt(variance), sum = 0;
        const int Points = 20_000;
        for (int i = 0; i < Points; i++)
        {
            using var scope = NewDisposeScope();
            double t = (i + .5) / Points;
            double x = Math.Sqrt((t * t) + ((1 - t) * (1 - t) * variance));
            var velocity = Euler.Velocity(path, t, Gaussian.Exact(path, variance)(tensor(new[] { x }), t)).item<double>();
            sum += Math.Pow(1 - deviation - velocity, 2) / Points;
        }

        Assert.Equal(straightness, sum, 1e-5);
    }

    [Fact]
    public void Ddim_with_eta_1_has_the_variance_of_ancestral_sampling()
    {
        // Data N(0, 1), ancestral DDPM with the small variance, 10 of 1,000 steps: variance propagated through the same coefficients.
        var path = DiscretePath.Linear();
        var times = new LeadingGrid().Times(path, 10);
        double expected = 1;
        for (int i = 0; i < 10; i++)
        {
            var (now, next) = (path.At(times[i]), path.At(times[i + 1]));
            double a = now.Alpha * now.Alpha / (next.Alpha * next.Alpha), beta = 1 - a;
            double toX0 = next.Alpha * beta / (now.Sigma * now.Sigma);
            double toX = Math.Sqrt(a) * next.Sigma * next.Sigma / (now.Sigma * now.Sigma);
            double scale = (toX0 * now.Alpha) + toX; // E[x0 | x] = α x on unit data
            expected = (scale * scale * expected) + (beta * next.Sigma * next.Sigma / (now.Sigma * now.Sigma));
        }

        using var scope = NewDisposeScope();
        using var noise = new SeedPerImage([7]);
        var x = noise.Normal(200_000).to(ScalarType.Float64);
        var run = new Ddim(eta: 1).Begin(path, times, noise);
        for (int step = 0; step < 10; step++)
        {
            x = run.Step(x, step, Gaussian.Exact(path, 1));
        }

        Assert.Equal(expected, x.pow(2).mean().item<double>(), 4 * expected * Math.Sqrt(2 / 200_000.0));
    }

    /// <summary>α = cos(πt/2), σ = sin(πt/2): smooth, variance preserving.</summary>
    private sealed class Trigonometric : INoisePath
    {
        public double MaxTime => 1;

        public PathPoint At(double time)
        {
            var (sine, cosine) = Math.SinCos(Math.PI * time / 2);
            return new(cosine, sine, -Math.PI / 2 * sine, Math.PI / 2 * cosine);
        }

        public double TimeInput(double time) => 1000 * time;
    }
}
