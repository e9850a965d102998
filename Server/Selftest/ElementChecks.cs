using Recsys.Torch;
using static Recsys.Torch.torch;
using F = Recsys.Torch.torch.nn.functional;

namespace Recsys.Server.Selftest;

/// <summary>Element by element.</summary>
internal static class ElementChecks
{
    public static IReadOnlyList<NumericCheck> All { get; } =
    [
        new("exp", [[4, 11]], x => x[0].exp()),
        new("expm1", [[4, 11]], x => x[0].expm1()),
        new("sin", [[4, 11]], x => x[0].sin()),
        new("cos", [[4, 11]], x => x[0].cos()),
        new("tanh", [[4, 11]], x => x[0].tanh()),
        new("sigmoid", [[4, 11]], x => x[0].sigmoid()),
        new("erf", [[4, 11]], x => x[0].erf()),
        new("sinh", [[4, 11]], x => x[0].sinh()),
        new("cosh", [[4, 11]], x => x[0].cosh()),
        new("atan", [[4, 11]], x => x[0].atan()),
        new("asinh", [[4, 11]], x => x[0].asinh()),
        new("abs", [[4, 11]], x => x[0].abs()),
        new("square", [[4, 11]], x => x[0].square()),
        new("neg", [[4, 11]], x => x[0].neg()),
        new("log", [[4, 11]], x => x[0].log(), Positive: true),
        new("log1p", [[4, 11]], x => x[0].log1p(), Positive: true),
        new("log2", [[4, 11]], x => x[0].log2(), Positive: true),
        new("log10", [[4, 11]], x => x[0].log10(), Positive: true),
        new("sqrt", [[4, 11]], x => x[0].sqrt(), Positive: true),
        new("rsqrt", [[4, 11]], x => x[0].rsqrt(), Positive: true),
        new("reciprocal", [[4, 11]], x => x[0].reciprocal(), Positive: true),
        new("lgamma", [[4, 11]], x => x[0].lgamma(), Positive: true),
        new("digamma", [[4, 11]], x => x[0].digamma(), Positive: true),
        new("ceil", [[4, 11]], x => x[0].ceil(), Gradient: false),
        new("floor", [[4, 11]], x => x[0].floor(), Gradient: false),
        new("round", [[4, 11]], x => x[0].round(), Gradient: false),
        new("trunc", [[4, 11]], x => x[0].trunc(), Gradient: false),
        new("sign", [[4, 11]], x => x[0].sign(), Gradient: false),
        new("tan of a third", [[4, 11]], x => (x[0] / 3).tan()),
        new("frac", [[4, 11]], x => x[0].frac()),
        new("erfinv of a sigmoid", [[4, 11]], x => ((x[0].sigmoid() * 2) - 1).erfinv()),
        new("add and sub", [[4, 11], [4, 11]], x => x[0] + (x[1] * 2) - 1),
        new("add with broadcasting", [[4, 1, 11], [3, 1]], x => x[0] + x[1]),
        new("mul", [[4, 11], [4, 11]], x => x[0] * x[1]),
        new("div", [[4, 11], [4, 11]], x => x[0] / (x[1].square() + 1)),
        new("pow", [[4, 11], [4, 11]], x => x[0].pow(x[1]), Positive: true),
        new("pow 3", [[4, 11]], x => x[0].pow(3)),
        new("atan2", [[4, 11], [4, 11]], x => x[0].atan2(x[1])),
        new("hypot", [[4, 11], [4, 11]], x => x[0].hypot(x[1])),
        new("logaddexp", [[4, 11], [4, 11]], x => logaddexp(x[0], x[1])),
        new("maximum", [[4, 11], [4, 11]], x => maximum(x[0], x[1])),
        new("minimum", [[4, 11], [4, 11]], x => minimum(x[0], x[1])),
        new("lerp", [[4, 11], [4, 11], [4, 11]], x => lerp(x[0], x[1], x[2])),
        new("addcmul", [[4, 11], [4, 11], [4, 11]], x => addcmul(x[0], x[1], x[2], 0.7)),
        new("addcdiv", [[4, 11], [4, 11], [4, 11]], x => addcdiv(x[0], x[1], x[2].square() + 1, 0.7)),
        new("clamp", [[4, 11]], x => x[0].clamp(-0.5, 0.7)),
        new("remainder", [[4, 11], [4, 11]], x => x[0].remainder(x[1].abs() + 1), Gradient: false),
        new("comparisons", [[4, 11], [4, 11]], x => (x[0] > x[1]).to(x[0].dtype) + (x[0] <= 0).to(x[0].dtype), Gradient: false),
        new("where", [[4, 11], [4, 11]], x => where(x[0] > 0, x[0], x[1])),
        new("logical", [[4, 11], [4, 11]], x => ((x[0] > 0) & (x[1] > 0)).to(x[0].dtype), Gradient: false),
        new("nan_to_num", [[4, 11]], x => (x[0] / (x[0] - x[0])).nan_to_num(0, 2, -2), Gradient: false),
    ];
}
