using Recsys.Diffusion.Codecs;
using Recsys.Diffusion.Paths;
using Recsys.Diffusion.Predictions;
using Recsys.Diffusion.Solvers;
using Recsys.Diffusion.Training;

namespace Recsys.Diffusion.Recipes;

/// <summary>The parts that recipes may name. A new system adds its parts here and nothing elsewhere.</summary>
public static class RecipeParts
{
    public static IReadOnlyDictionary<string, Func<INoisePath>> Paths { get; } = new Dictionary<string, Func<INoisePath>>
    {
        ["rectified-flow"] = () => new RectifiedFlow(),
        ["linear"] = () => DiscretePath.Linear(),
        ["cosine"] = () => DiscretePath.Cosine(),
    };

    public static IReadOnlyDictionary<string, Func<IPrediction>> Predictions { get; } = new Dictionary<string, Func<IPrediction>>
    {
        ["velocity"] = () => new VelocityPrediction(),
        ["edm"] = () => new EdmPrediction(),
        ["v"] = () => new VPrediction(),
        ["eps"] = () => new EpsPrediction(),
        ["x0"] = () => new X0Prediction(),
    };

    public static IReadOnlyDictionary<string, Func<ITimeSampler>> TimeSamplers { get; } = new Dictionary<string, Func<ITimeSampler>>
    {
        ["logit-normal"] = () => new LogitNormalTimes(),
        ["uniform"] = () => new UniformTimes(),
    };

    public static IReadOnlyDictionary<string, Func<ISolver>> Solvers { get; } = new Dictionary<string, Func<ISolver>>
    {
        ["euler"] = () => new Euler(),
        ["heun"] = () => new Heun(),
        ["ddim"] = () => new Ddim(),
    };

    public static IReadOnlyDictionary<string, Func<ITimeGrid>> Grids { get; } = new Dictionary<string, Func<ITimeGrid>>
    {
        ["linear"] = () => new LinearGrid(),
        ["leading"] = () => new LeadingGrid(),
    };

    public static IReadOnlyDictionary<string, Func<ILatentCodec>> Codecs { get; } = new Dictionary<string, Func<ILatentCodec>>
    {
        ["identity"] = () => new IdentityCodec(),
        ["space-to-depth"] = () => new SpaceToDepthCodec(),
    };

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
