using Recsys.Diffusion.Codecs;
using Recsys.Diffusion.Guidance;
using Recsys.Diffusion.Paths;
using Recsys.Diffusion.Predictions;
using Recsys.Diffusion.Solvers;
using Recsys.Diffusion.Training;

namespace Recsys.Diffusion.Recipes;

/// <summary>The parts that recipes may name, none of which changes. A new system adds its parts here and nothing elsewhere.</summary>
public static class RecipeParts
{
    public static IReadOnlyDictionary<string, INoisePath> Paths { get; } = new Dictionary<string, INoisePath>
    {
        ["rectified-flow"] = new RectifiedFlow(),
        ["linear"] = DiscretePath.Linear(),
        ["cosine"] = DiscretePath.Cosine(),
    };

    public static IReadOnlyDictionary<string, IPrediction> Predictions { get; } = new Dictionary<string, IPrediction>
    {
        ["velocity"] = new VelocityPrediction(),
        ["edm"] = new EdmPrediction(),
        ["v"] = new VPrediction(),
        ["eps"] = new EpsPrediction(),
        ["x0"] = new X0Prediction(),
    };

    public static IReadOnlyDictionary<string, ITimeSampler> TimeSamplers { get; } = new Dictionary<string, ITimeSampler>
    {
        ["logit-normal"] = new LogitNormalTimes(),
        ["uniform"] = new UniformTimes(),
    };

    public static IReadOnlyDictionary<string, ISolver> Solvers { get; } = new Dictionary<string, ISolver>
    {
        ["euler"] = new Euler(),
        ["heun"] = new Heun(),
        ["ddim"] = new Ddim(),
    };

    public static IReadOnlyDictionary<string, ITimeGrid> Grids { get; } = new Dictionary<string, ITimeGrid>
    {
        ["linear"] = new LinearGrid(),
        ["leading"] = new LeadingGrid(),
    };

    public static IReadOnlyDictionary<string, ILatentCodec> Codecs { get; } = new Dictionary<string, ILatentCodec>
    {
        ["identity"] = new IdentityCodec(),
        ["space-to-depth"] = new SpaceToDepthCodec(),
    };

    /// <summary>What draws as a recipe says, at a scale of guidance.</summary>
    internal static Sampler Sampler(Recipe recipe, double guidance) => new(
        Paths[recipe.Path], Predictions[recipe.Prediction], Solvers[recipe.Solver], Grids[recipe.Grid], new Cfg(guidance));

    internal static IEnumerable<(string Part, string Name, IEnumerable<string> Known)> Named(Recipe recipe) =>
    [
        ("path", recipe.Path, Paths.Keys),
        ("prediction", recipe.Prediction, Predictions.Keys),
        ("times", recipe.Times, TimeSamplers.Keys),
        ("solver", recipe.Solver, Solvers.Keys),
        ("grid", recipe.Grid, Grids.Keys),
        ("codec", recipe.Codec, Codecs.Keys),
    ];
}
