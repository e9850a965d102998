using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch.Tests.Optim;

/// <summary>Lion and Adafactor beside their papers' equations, written out over arrays of doubles.</summary>
public class PaperOptimizerTests
{
    private const int Rows = 3, Columns = 4, Steps = 9;
    private static readonly double[] Start = [.. Enumerable.Range(0, Rows * Columns).Select(i => 1.5 * Math.Sin(1 + (2.3 * i)))];
    private static readonly double[] Target = [.. Enumerable.Range(0, Rows * Columns).Select(i => Math.Cos(0.7 * i))];

    [Theory]
    [InlineData(ScalarType.Float64, true, 1e-12)]
    [InlineData(ScalarType.Float64, false, 1e-12)]
    [InlineData(ScalarType.Float32, true, 2e-6)]
    [InlineData(ScalarType.Float32, false, 2e-6)]
    public void Lion_follows_algorithm_2(ScalarType type, bool contiguous, double tolerance)
    {
        double[] p = [.. Start], m = new double[p.Length];
        for (int t = 0; t < Steps; t++)
        {
            for (int i = 0; i < p.Length; i++)
            {
                double g = p[i] - Target[i];
                double c = (0.8 * m[i]) + (0.2 * g);
                m[i] = (0.95 * m[i]) + (0.05 * g);
                p[i] -= 0.01 * (Math.Sign(c) + (0.3 * p[i]));
            }
        }

        Follows(p, [Rows, Columns], type, contiguous, tolerance, parameters => new Lion(parameters, 0.01, 0.8, 0.95, 0.3));
    }

    [Theory]
    [InlineData(ScalarType.Float64, 1e-12)]
    [InlineData(ScalarType.Float32, 1e-5)]
    public void Adafactor_follows_algorithm_4_for_a_matrix(ScalarType type, double tolerance)
    {
        double[] p = [.. Start], r = new double[Rows], c = new double[Columns];
        for (int t = 1; t <= Steps; t++)
        {
            double[] g = [.. p.Select((v, i) => v - Target[i])];
            double beta = 1 - Math.Pow(t, -0.8), rho = Math.Min(0.05, 1 / Math.Sqrt(t)), alpha = Math.Max(1e-3, Size(p)) * rho;
            for (int i = 0; i < Rows; i++)
            {
                r[i] = (beta * r[i]) + ((1 - beta) * Enumerable.Range(0, Columns).Sum(j => (g[(i * Columns) + j] * g[(i * Columns) + j]) + 1e-30));
            }

            for (int j = 0; j < Columns; j++)
            {
                c[j] = (beta * c[j]) + ((1 - beta) * Enumerable.Range(0, Rows).Sum(i => (g[(i * Columns) + j] * g[(i * Columns) + j]) + 1e-30));
            }

            double[] u = [.. g.Select((v, k) => v / Math.Sqrt(r[k / Columns] * c[k % Columns] / r.Sum()))];
            double clip = Math.Max(1, Size(u) / 0.7);
            p = [.. p.Select((v, k) => (v * (1 - (0.05 * 0.1))) - (alpha * u[k] / clip))];
        }

        Follows(p, [Rows, Columns], type, true, tolerance, parameters => new Adafactor(parameters, 0.05, d: 0.7, weight_decay: 0.1));
    }

    [Fact]
    public void Adafactor_follows_algorithm_5_for_a_vector()
    {
        double[] p = [.. Start], v = new double[p.Length];
        for (int t = 1; t <= Steps; t++)
        {
            double[] g = [.. p.Select((x, i) => x - Target[i])];
            double beta = 1 - Math.Pow(t, -0.8), alpha = Math.Max(1e-3, Size(p)) * Math.Min(1e-2, 1 / Math.Sqrt(t));
            v = [.. v.Select((x, i) => (beta * x) + ((1 - beta) * ((g[i] * g[i]) + 1e-30)))];
            double[] u = [.. g.Select((x, i) => x / Math.Sqrt(v[i]))];
            double clip = Math.Max(1, Size(u));
            p = [.. p.Select((x, i) => x - (alpha * u[i] / clip))];
        }

        Follows(p, [Rows * Columns], ScalarType.Float64, true, 1e-12, parameters => new Adafactor(parameters));
    }

    [Fact]
    public void Adafactor_keeps_row_and_column_means_and_a_checkpoint_restores_them()
    {
        using var scope = NewDisposeScope();
        double[] Train(bool interrupt)
        {
            using Parameter w = new(tensor(Start).reshape(Rows, Columns)), b = new(tensor(Start[..Columns]));
            Adafactor optimizer = new([w, b]);
            for (int t = 0; t < 6; t++)
            {
                if (interrupt && t == 3)
                {
                    var state = OptimizerCheckpoint.Capture(optimizer);
                    Assert.Equal([Rows], state["param.0.exp_avg_sq_row"].shape);
                    Assert.Equal([Columns], state["param.0.exp_avg_sq_col"].shape);
                    Assert.Equal([0], state["param.0.exp_avg_sq"].shape);
                    Assert.Equal([Columns], state["param.1.exp_avg_sq"].shape);
                    byte[] saved = SafetensorsFile.ToBytes(state);
                    optimizer.Dispose();
                    optimizer = new Adafactor([w, b]);
                    OptimizerCheckpoint.Restore(optimizer, SafetensorsFile.Load(saved));
                }

                optimizer.zero_grad();
                (w.square().sum() + (b * b * b).sum()).backward();
                optimizer.step();
            }

            optimizer.Dispose();
            return [.. w.data<double>().ToArray(), .. b.data<double>().ToArray()];
        }

        Assert.Equal(Train(false), Train(true));
    }

    [Fact]
    public void Bfloat16_weights_have_a_float32_second_moment()
    {
        using var scope = NewDisposeScope();
        using Parameter w = new(ones(2, 3, ScalarType.BFloat16));
        using Adafactor optimizer = new([w]);
        w.grad = ones(2, 3, ScalarType.BFloat16) * 0.5;
        optimizer.step();
        Assert.Equal(ScalarType.Float32, OptimizerCheckpoint.Capture(optimizer)["param.0.exp_avg_sq_row"].dtype);
        Assert.Equal(0.99, w.to(ScalarType.Float64).mean().ToDouble(), 0.003); // one relative step of 1e-2, rounded to bfloat16
    }

    [Fact]
    public void Wrong_settings_are_refused_with_their_range()
    {
        using Parameter p = new(ones(1));
        Assert.Contains("beta2_decay is 0.8", Assert.Throws<ArgumentException>(() => new Adafactor([p], beta2_decay: 0.8)).Message);
        Assert.Contains("d is 0", Assert.Throws<ArgumentException>(() => new Adafactor([p], d: 0)).Message);
        Assert.Contains("beta2 is 1", Assert.Throws<ArgumentException>(() => new Lion([p], beta2: 1)).Message);
    }

    private static double Size(double[] x) => Math.Sqrt(x.Average(v => v * v));

    // The gradient of Σ (p - target)²/2.
    private static void Follows(double[] expected, long[] shape, ScalarType type, bool contiguous, double tolerance, Func<IEnumerable<Parameter>, optim.Optimizer> make)
    {
        using var scope = NewDisposeScope();
        Tensor start = tensor(Start).to(type).reshape(shape), target = tensor(Target).to(type).reshape(shape);
        using Parameter p = new(contiguous ? start.clone() : start.t().contiguous().t());
        using optim.Optimizer optimizer = make([p]);
        for (int t = 0; t < Steps; t++)
        {
            optimizer.zero_grad();
            ((p - target).square().sum() / 2).backward();
            optimizer.step();
        }

        Assert.All(expected.Zip(p.detach().contiguous().to(ScalarType.Float64).data<double>().ToArray()), v => Assert.Equal(v.First, v.Second, tolerance));
    }
}
