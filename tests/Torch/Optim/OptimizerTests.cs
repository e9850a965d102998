using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch.Tests.Optim;

/// <summary>Trajectories against PyTorch's published equations, computed here in doubles with gradients of a known function.</summary>
public class OptimizerTests
{
    private const int Steps = 12;
    private static readonly double[] Start = [0.5, -1.25, 2.0, 3.5, -0.75];
    private static readonly double[] Curvature = [1.0, 0.3, 2.5, 0.05, 4.0];

    public static TheoryData<bool, double, bool, bool> AdamCases => new()
    {
        { true, 0, false, false }, { true, 0.1, false, false }, { false, 0.1, false, false }, { true, 0.05, true, false }, { false, 0, true, true }, { true, 0.1, false, true },
    };

    [Theory]
    [MemberData(nameof(AdamCases))]
    public void Adam_and_AdamW_follow_their_equations(bool decoupled, double decay, bool amsgrad, bool maximize)
    {
        double[] expected = [.. Start], m = new double[5], v = new double[5], most = new double[5];
        for (int t = 1; t <= Steps; t++)
        {
            for (int i = 0; i < 5; i++)
            {
                double g = Gradient(expected, i) * (maximize ? -1 : 1);
                if (decoupled)
                {
                    expected[i] *= 1 - 0.01 * decay;
                }
                else
                {
                    g += decay * expected[i];
                }

                m[i] = 0.8 * m[i] + 0.2 * g;
                v[i] = 0.95 * v[i] + 0.05 * g * g;
                most[i] = Math.Max(most[i], v[i]);
                double root = Math.Sqrt(amsgrad ? most[i] : v[i]) / Math.Sqrt(1 - Math.Pow(0.95, t)) + 1e-6;
                expected[i] -= 0.01 / (1 - Math.Pow(0.8, t)) * m[i] / root;
            }
        }

        Follows(expected, p => decoupled
            ? optim.AdamW(p, 0.01, 0.8, 0.95, 1e-6, decay, amsgrad, maximize)
            : optim.Adam(p, 0.01, 0.8, 0.95, 1e-6, decay, amsgrad, maximize));
    }

    [Theory]
    [InlineData(0, 0, 0, false)]
    [InlineData(0, 0, 0.1, false)]
    [InlineData(0.9, 0, 0, false)]
    [InlineData(0.9, 0.5, 0.1, false)]
    [InlineData(0.9, 0, 0.1, true)]
    public void Sgd_follows_its_equations(double momentum, double dampening, double decay, bool nesterov)
    {
        double[] expected = [.. Start], b = new double[5];
        for (int t = 1; t <= Steps; t++)
        {
            for (int i = 0; i < 5; i++)
            {
                double g = Gradient(expected, i) + decay * expected[i];
                b[i] = t == 1 ? g : momentum * b[i] + (1 - dampening) * g;
                expected[i] -= 0.05 * (momentum == 0 ? g : nesterov ? g + momentum * b[i] : b[i]);
            }
        }

        Follows(expected, p => optim.SGD(p, 0.05, momentum, dampening, decay, nesterov));
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0.1, 0.05, 0.2)]
    public void Adagrad_follows_its_equations(double rateDecay, double decay, double first)
    {
        double[] expected = [.. Start], s = [first, first, first, first, first];
        for (int t = 1; t <= Steps; t++)
        {
            for (int i = 0; i < 5; i++)
            {
                double g = Gradient(expected, i) + decay * expected[i];
                s[i] += g * g;
                expected[i] -= 0.1 / (1 + (t - 1) * rateDecay) * g / (Math.Sqrt(s[i]) + 1e-10);
            }
        }

        Follows(expected, p => optim.Adagrad(p, 0.1, rateDecay, decay, first));
    }

    [Fact]
    public void The_fused_pass_and_the_list_operators_agree()
    {
        manual_seed(1);
        using Tensor values = randn(37, 1001);
        using Tensor gradients = randn(1001, 37);
        float[] Run(bool fused, Func<IEnumerable<Parameter>, optim.Optimizer> make)
        {
            using var scope = NewDisposeScope();
            // A transposed view is what the fused pass does not take.
            Parameter p = new(fused ? values.clone() : values.t().contiguous().t());
            Assert.Equal(fused, p.is_contiguous());
            using optim.Optimizer optimizer = make([p]);
            for (int i = 0; i < 3; i++)
            {
                p.grad = gradients.t().contiguous();
                optimizer.step();
            }

            return p.detach().contiguous().data<float>().ToArray();
        }

        foreach (Func<IEnumerable<Parameter>, optim.Optimizer> make in new Func<IEnumerable<Parameter>, optim.Optimizer>[]
        {
            p => optim.AdamW(p, 0.01, weight_decay: 0.1), p => optim.Adam(p, 0.01, weight_decay: 0.1, amsgrad: true, maximize: true),
            p => optim.SGD(p, 0.01, 0.9, nesterov: true, weight_decay: 0.1), p => optim.SGD(p, 0.01), p => optim.Adagrad(p, 0.01, 0.1, 0.1),
        })
        {
            Assert.All(Run(true, make).Zip(Run(false, make)), v => Assert.Equal(v.First, v.Second, 2e-6f));
        }
    }

    [Fact]
    public void AdamW_s_first_step_has_the_size_of_the_learning_rate()
    {
        using Parameter p = new(tensor(new double[] { 1, 2, -3 }));
        using var optimizer = optim.AdamW([p], lr: 0.1, eps: 0);
        using Tensor gradient = tensor(new double[] { 1e-4, -5, 1e3 });
        p.grad = gradient;
        optimizer.step();
        Assert.All(new[] { 0.9, 2.1, -3.1 }.Zip(p.data<double>().ToArray()), v => Assert.Equal(v.First, v.Second, 1e-12));
    }

    [Fact]
    public void A_parameter_without_a_gradient_stays_and_counts_no_step()
    {
        using Parameter a = new(ones(2)), b = new(ones(2));
        using var optimizer = optim.AdamW([a, b], weight_decay: 0.5);
        using Tensor gradient = ones(2);
        a.grad = gradient;
        optimizer.step();
        Assert.NotEqual(1f, a.data<float>()[0]);
        Assert.Equal([1f, 1f], b.data<float>().ToArray());
        optimizer.zero_grad();
        Assert.Null(a.grad);
        using (NewDisposeScope())
        {
            Dictionary<string, Tensor> state = OptimizerCheckpoint.Capture(optimizer);
            Assert.Equal(1, state["param.0.step"].ToInt64());
            Assert.Equal(0, state["param.1.step"].ToInt64());
        }
    }

    [Fact]
    public void Groups_have_settings_of_their_own_and_inherit_the_rest()
    {
        using Parameter a = new(ones(1)), b = new(ones(1));
        using var optimizer = optim.AdamW(
            [new AdamW.ParamGroup { Parameters = [a], Options = new AdamW.Options { weight_decay = 0.5 } }, new AdamW.ParamGroup([b], lr: 0.2)], lr: 0.1, beta1: 0.5);
        Assert.Equal([0.1, 0.2], optimizer.ParamGroups.Select(g => g.LearningRate));
        Assert.Equal([a, b], optimizer.parameters(), ReferenceEqualityComparer.Instance);
        using Tensor zero = zeros(1);
        a.grad = zero;
        b.grad = zero;
        optimizer.step();
        Assert.Equal(0.95f, a.data<float>()[0], 1e-6f);
        Assert.Equal(1f, b.data<float>()[0]);
    }

    [Fact]
    public void Wrong_settings_are_refused_with_their_range()
    {
        using Parameter p = new(ones(1));
        Refuses("learning rate is -1", () => optim.AdamW([p], lr: -1));
        Refuses("learning rate is NaN", () => optim.AdamW([p], lr: double.NaN));
        Refuses("beta1 is 1", () => optim.Adam([p], beta1: 1));
        Refuses("dampening is 0", () => optim.SGD([p], 0.1, nesterov: true));
        Refuses("no parameters", () => optim.AdamW(Array.Empty<Parameter>()));
        Refuses("more than one place", () => optim.AdamW([p, p]));
    }

    [Fact]
    public void A_sparse_gradient_is_refused_with_what_to_do()
    {
        using var scope = NewDisposeScope();
        using var table = nn.Embedding(5, 2, sparse: true);
        using var optimizer = optim.AdamW(table.parameters());
        table.call(tensor(new long[] { 1, 2 })).sum().backward();
        Assert.Contains("sparse: false", Assert.Throws<TorchException>(() => optimizer.step()).Message);
    }

    [Fact]
    public void A_closure_computes_the_gradients_and_its_loss_comes_back()
    {
        using Parameter p = new(tensor(new double[] { 3 }));
        using var optimizer = optim.SGD([p], 0.25);
        using (no_grad())
        {
            using Tensor loss = optimizer.step(() =>
            {
                optimizer.zero_grad();
                Tensor square = p.square().sum();
                square.backward();
                return square;
            });
            Assert.Equal(9, loss.ToDouble());
        }

        Assert.Equal(1.5, p.data<double>()[0]);
    }

    [Fact]
    public void A_restored_optimiser_goes_on_exactly_as_the_first_would_have()
    {
        float[] Train(bool interrupt)
        {
            using var scope = NewDisposeScope();
            manual_seed(2);
            using var model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1));
            Tensor x = randn(16, 4), y = randn(16, 1);
            optim.Optimizer optimizer = optim.AdamW(model.parameters(), 0.01, weight_decay: 0.1, amsgrad: true);
            for (int i = 0; i < 10; i++)
            {
                if (interrupt && i == 5)
                {
                    optimizer.ParamGroups.First().LearningRate = 0.02;
                    byte[] saved = SafetensorsFile.ToBytes(OptimizerCheckpoint.Capture(optimizer));
                    optimizer.Dispose();
                    optimizer = optim.AdamW(model.parameters(), 0.5, weight_decay: 0.1, amsgrad: true);
                    OptimizerCheckpoint.Restore(optimizer, SafetensorsFile.Load(saved));
                }
                else if (i == 5)
                {
                    optimizer.ParamGroups.First().LearningRate = 0.02;
                }

                optimizer.zero_grad();
                nn.functional.mse_loss(model.call(x), y).backward();
                optimizer.step();
            }

            optimizer.Dispose();
            return [.. model.parameters().SelectMany(p => p.data<float>().ToArray())];
        }

        Assert.Equal(Train(false), Train(true));
    }

    [Fact]
    public void A_checkpoint_of_another_model_is_refused_with_every_fault()
    {
        using var scope = NewDisposeScope();
        using Parameter a = new(ones(2)), b = new(ones(3));
        using var one = optim.AdamW([a]);
        using var two = optim.AdamW([b, a]);
        a.grad = ones(2);
        b.grad = ones(3);
        one.step();
        StateDictException error = Assert.Throws<StateDictException>(() => OptimizerCheckpoint.Restore(two, OptimizerCheckpoint.Capture(one)));
        Assert.Equal(["param.1.exp_avg", "param.1.exp_avg_sq", "param.1.step"], error.Missing.Order());
        Assert.Equal(2, error.Misshapen.Count);
    }

    [Fact]
    public void Training_leaves_no_tensor_behind_but_the_state()
    {
        long baseline = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        using (var model = nn.Linear(3, 2))
        using (optim.Optimizer optimizer = optim.AdamW(model.parameters()))
        {
            for (int i = 0; i < 4; i++)
            {
                using var scope = NewDisposeScope();
                model.call(ones(1, 3)).sum().backward();
                nn.utils.clip_grad_norm_(model.parameters(), 1);
                optimizer.step();
                optimizer.zero_grad();
            }

            Assert.Equal(2 + 4, DisposeScopeManager.Statistics.ThreadTotalLiveCount - baseline);
        }

        Assert.Equal(baseline, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    // The gradient of Σ cᵢxᵢ²/2: elements do not touch each other.
    private static double Gradient(double[] x, int i) => Curvature[i] * x[i];

    private static void Follows(double[] expected, Func<IEnumerable<Parameter>, optim.Optimizer> make)
    {
        using var scope = NewDisposeScope();
        foreach (ScalarType type in new[] { ScalarType.Float64, ScalarType.Float32 })
        {
            using Parameter p = new(tensor(Start).to(type));
            using optim.Optimizer optimizer = make([p]);
            Tensor curvature = tensor(Curvature).to(type);
            for (int t = 0; t < Steps; t++)
            {
                optimizer.zero_grad();
                (curvature * p * p / 2).sum().backward();
                optimizer.step();
            }

            double tolerance = type == ScalarType.Float64 ? 1e-12 : 2e-5;
            Assert.All(expected.Zip(p.detach().to(ScalarType.Float64).data<double>().ToArray()), v => Assert.Equal(v.First, v.Second, tolerance));
        }
    }

    private static void Refuses(string part, Action action) => Assert.Contains(part, Assert.Throws<ArgumentException>(action).Message);
}
