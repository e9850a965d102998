using Recsys.Diffusion.Conditioners;
using Recsys.Diffusion.Guidance;
using Recsys.Diffusion.Solvers;

namespace Recsys.Diffusion.Tests;

public class GuidanceTests
{
    // A net whose answer depends on its input, its condition and nothing else, row by row.
    private static Tensor Net(Tensor x, Cond cond) => (x * 1.5) + cond.Vec.sin();

    private static (Tensor X, Cond Given, Cond None) Inputs()
    {
        using var noise = new SeedPerImage([1, 2, 3]);
        return (noise.Normal(4), new Cond(noise.Normal(4)), new Cond(noise.Normal(4)));
    }

    [Fact]
    public void Scale_1_is_the_conditional_model_bit_for_bit()
    {
        using var scope = NewDisposeScope();
        var (x, given, none) = Inputs();
        Assert.True(new Cfg(1).Apply(Net, x, given, none).equal(Net(x, given)).all().item<bool>());
    }

    [Fact]
    public void Scale_0_is_the_unconditional_model_bit_for_bit()
    {
        using var scope = NewDisposeScope();
        var (x, given, none) = Inputs();
        Assert.True(new Cfg(0).Apply(Net, x, given, none).equal(Net(x, none)).all().item<bool>());
    }

    [Fact]
    public void Guidance_is_affine_in_its_scale_and_one_pass_equals_two()
    {
        using var scope = NewDisposeScope();
        var (x, given, none) = Inputs();
        var (c, u) = (Net(x, given), Net(x, none));
        foreach (double scale in new[] { .5, 2, 7.5 })
        {
            var expected = u + ((c - u) * scale);
            Assert.True((new Cfg(scale).Apply(Net, x, given, none) - expected).abs().max().item<float>() < 1e-5);
        }
    }

    [Fact]
    public void Conditions_given_as_their_own_null_make_guidance_vanish()
    {
        using var scope = NewDisposeScope();
        var (x, given, _) = Inputs();
        Assert.True((new Cfg(9).Apply(Net, x, given, given) - Net(x, given)).abs().max().item<float>() < 1e-6);
    }
}
