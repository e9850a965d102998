using Recsys.Catalog;
using Recsys.Diffusion.Paths;
using Recsys.Diffusion.Predictions;
using Recsys.Diffusion.Recipes;
using Recsys.Diffusion.Solvers;

namespace Recsys.Diffusion.Tests;

public class PredictionTests
{
    public static TheoryData<string, string> Cells()
    {
        var cells = new TheoryData<string, string>();
        foreach (string path in RecipeParts.Paths.Keys)
        {
            foreach (string prediction in RecipeParts.Predictions.Keys)
            {
                cells.Add(path, prediction);
            }
        }

        return cells;
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void A_true_target_decodes_to_the_picture_and_the_noise_it_was_made_of(string pathName, string predictionName)
    {
        using var scope = NewDisposeScope();
        using var noise = new SeedPerImage([1, 2]);
        var (path, prediction) = (RecipeParts.Paths[pathName], RecipeParts.Predictions[predictionName]);
        var (x0, eps) = (noise.Normal(3, 4, 4).to(ScalarType.Float64), noise.Normal(3, 4, 4).to(ScalarType.Float64));
        foreach (double share in new[] { .05, .5, .9 })
        {
            var point = path.At(share * path.MaxTime);
            var xt = (x0 * point.Alpha) + (eps * point.Sigma);
            var decoded = prediction.Decode(prediction.Target(x0, eps, point), xt, point);
            Assert.True((decoded.X0 - x0).abs().max().item<double>() < 1e-9, $"x0 at {share}");
            Assert.True((decoded.Eps - eps).abs().max().item<double>() < 1e-9, $"eps at {share}");
        }
    }

    [Fact]
    public void Targets_are_those_of_the_papers()
    {
        using var scope = NewDisposeScope();
        var (x0, eps) = (tensor(new[] { 2.0 }), tensor(new[] { 5.0 }));
        var point = new PathPoint(.8, .6, 0, 0);
        Assert.Equal(5, new EpsPrediction().Target(x0, eps, point).item<double>(), 1e-12);
        Assert.Equal(2, new X0Prediction().Target(x0, eps, point).item<double>(), 1e-12);
        Assert.Equal((.8 * 5) - (.6 * 2), new VPrediction().Target(x0, eps, point).item<double>(), 1e-12);
        Assert.Equal(3, new VelocityPrediction().Target(x0, eps, point).item<double>(), 1e-12);
    }

    [Fact]
    public void Noise_prediction_where_the_picture_has_no_share_is_a_typed_error()
    {
        using var scope = NewDisposeScope();
        var x = ones(1);
        var fault = Assert.Throws<CatalogException>(() => new EpsPrediction().Decode(x, x, new RectifiedFlow().At(1)));
        Assert.Contains("singular", fault.Message, StringComparison.Ordinal);
    }
}
