using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch.Tests.Optim;

/// <summary>
/// Twelve steps of a small tanh regression in float64, beside what PyTorch 1.13.1 gave for the same weights, data and settings
/// (weights [[.5, -1.25], [2, .75]], bias [-.3, 1.1], mean squared error over three rows).
/// </summary>
public class OptimizerReferenceTests
{
    public static TheoryData<Func<IEnumerable<Parameter>, optim.Optimizer>, double[]> PyTorch => new()
    {
        { p => optim.SGD(p, 0.1), [0.3891682954604945, -1.1606353726935899, 1.534534535327445, 0.9795403349404648, -0.3774499110332653, 1.3887253575815317] },
        { p => optim.SGD(p, 0.1, 0.9, 0.1, 0.01), [0.0947006607423916, -0.8314769847361521, 0.40353714436042853, 1.4489229815517821, -0.502727446183919, 1.9110302783543465] },
        { p => optim.SGD(p, 0.1, 0.9, weight_decay: 0.01, nesterov: true), [0.08559021384899825, -0.7471973610259565, 0.2761696268516129, 1.4940915858404014, -0.4432120771616174, 1.8820416539670302] },
        { p => optim.SGD(p, 0.1, 0.5, maximize: true), [0.6840142721537418, -1.3955636185444535, 2.2936705223089957, 0.6159548266604635, -0.16444242172138296, 0.9355214634293862] },
        { p => optim.Adam(p, 0.05), [0.14464412813813213, -0.6826505005350347, 1.3992752899888723, 1.350488108557721, -0.4659633882950346, 1.6992069757823882] },
        { p => optim.Adam(p, 0.05, 0.8, 0.95, 1e-6, 0.02, amsgrad: true), [0.1480195188486277, -0.6675750641301961, 1.3951559584953113, 1.3512664624217159, -0.3514086960475489, 1.6988703042028983] },
        { p => optim.AdamW(p, 0.05, weight_decay: 0.1), [0.13769876977660192, -0.6110220689581263, 1.2999895520904856, 1.2892485032430594, -0.41451548423232426, 1.6170114164323348] },
        { p => optim.AdamW(p, 0.05, 0.8, 0.95, 1e-6, 0.1, amsgrad: true, maximize: true), [0.9798475680980555, -1.7111532084748207, 2.338002265913134, 0.35541996006629695, 0.2057638239630957, 0.6596111636083053] },
        { p => optim.Adagrad(p, 0.1), [0.1734958936309253, -0.5919289172013872, 1.4318673097516672, 1.3202619309958088, -0.17788653164168086, 1.6641034505560575] },
        { p => optim.Adagrad(p, 0.1, 0.05, 0.01, 0.3, 1e-8), [0.34768272366875574, -1.107426854705119, 1.6029241205905458, 1.0139447816856764, -0.3962090017810323, 1.4027685259639704] },
    };

    [Theory]
    [MemberData(nameof(PyTorch), DisableDiscoveryEnumeration = true)]
    public void Twelve_steps_end_where_PyTorch_s_do(Func<IEnumerable<Parameter>, optim.Optimizer> make, double[] expected)
    {
        using var scope = NewDisposeScope();
        using Parameter w = new(tensor(new double[,] { { 0.5, -1.25 }, { 2.0, 0.75 } })), b = new(tensor(new double[] { -0.3, 1.1 }));
        Tensor x = tensor(new double[,] { { 1.0, -0.5 }, { 0.25, 2.0 }, { -1.5, 0.75 } }), y = tensor(new double[,] { { 0.2, -0.4 }, { 1.0, 0.3 }, { -0.7, 0.9 } });
        using optim.Optimizer optimizer = make([w, b]);
        for (int t = 0; t < 12; t++)
        {
            optimizer.zero_grad();
            nn.functional.mse_loss(nn.functional.linear(x, w, b).tanh(), y).backward();
            optimizer.step();
        }

        double[] actual = [.. w.data<double>().ToArray(), .. b.data<double>().ToArray()];
        Assert.All(expected.Zip(actual), v => Assert.Equal(v.First, v.Second, 1e-12));
    }

    [Fact]
    public void Four_accumulated_quarters_of_a_batch_are_one_batch()
    {
        using var scope = NewDisposeScope();
        Tensor x = randn(32, 5, ScalarType.Float64), y = randn(32, 2, ScalarType.Float64);
        double[] Train(int pieces)
        {
            manual_seed(3);
            using var layer = nn.Linear(5, 2, dtype: ScalarType.Float64);
            using var optimizer = optim.AdamW(layer.parameters(), 0.01);
            for (int t = 0; t < 5; t++)
            {
                optimizer.zero_grad();
                foreach (var (part, target) in x.chunk(pieces).Zip(y.chunk(pieces)))
                {
                    (nn.functional.mse_loss(layer.call(part), target) / pieces).backward();
                }

                optimizer.step();
            }

            return layer.weight.data<double>().ToArray();
        }

        Assert.All(Train(1).Zip(Train(4)), v => Assert.Equal(v.First, v.Second, 1e-12));
    }
}
