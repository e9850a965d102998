using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch.Tests.Optim;

public class GradientClippingTests
{
    [Theory]
    [InlineData(2.0)]
    [InlineData(1.0)]
    [InlineData(3.0)]
    [InlineData(double.PositiveInfinity)]
    public void The_joint_norm_is_limited_and_the_direction_stays(double type)
    {
        using var scope = NewDisposeScope();
        manual_seed(4);
        Parameter[] parameters = [new(zeros(300, 100)), new(zeros(7)), new(zeros(3))];
        double[] before = Gradients(parameters, randomise: true);
        double norm = double.IsInfinity(type) ? before.Max(Math.Abs) : Math.Pow(before.Sum(g => Math.Pow(Math.Abs(g), type)), 1 / type);
        double total = nn.utils.clip_grad_norm_(parameters, norm / 4, type);
        Assert.Equal(1, total / norm, 1e-5);
        Assert.All(before.Zip(Gradients(parameters)), g => Assert.Equal(g.First / 4, g.Second, 1e-5));
        double[] small = Gradients(parameters);
        nn.utils.clip_grad_norm_(parameters, norm, type);
        Assert.Equal(small, Gradients(parameters));
    }

    [Fact]
    public void A_gradient_that_is_not_contiguous_is_scaled_in_place()
    {
        using var scope = NewDisposeScope();
        Parameter p = new(zeros(2, 3).t());
        p.grad = ones(2, 3).t();
        nn.utils.clip_grad_norm_([p], 1);
        Assert.Equal(1, p.grad!.norm().ToDouble(), 1e-5);
    }

    [Fact]
    public void A_gradient_that_is_not_finite_shows_in_the_norm()
    {
        using var scope = NewDisposeScope();
        Parameter p = new(zeros(2));
        p.grad = tensor(new float[] { 1, float.NaN });
        Assert.True(double.IsNaN(nn.utils.clip_grad_norm_([p], 1)));
        Assert.Equal(0, nn.utils.clip_grad_norm_([new Parameter(zeros(2))], 1));
    }

    [Fact]
    public void Components_are_limited_one_by_one()
    {
        using var scope = NewDisposeScope();
        Parameter p = new(zeros(3));
        p.grad = tensor(new float[] { -5, 0.5f, 2 });
        nn.utils.clip_grad_value_([p], 1);
        Assert.Equal([-1f, 0.5f, 1f], p.grad!.data<float>().ToArray());
    }

    private static double[] Gradients(Parameter[] parameters, bool randomise = false)
    {
        foreach (Parameter p in randomise ? parameters : [])
        {
            p.grad = randn(p.shape);
        }

        return [.. parameters.SelectMany(p => p.grad!.to(ScalarType.Float64).data<double>().ToArray())];
    }
}
