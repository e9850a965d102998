using Recsys.Torch;
using static Recsys.Torch.torch;
using F = Recsys.Torch.torch.nn.functional;

namespace Recsys.Server.Selftest;

/// <summary>Reductions, running totals and orders.</summary>
internal static class ReductionChecks
{
    public static IReadOnlyList<NumericCheck> All { get; } =
    [
        new("sum", [[5, 17]], x => x[0].sum([1])),
        new("sum of all", [[5, 17]], x => x[0].sum()),
        new("mean", [[5, 17]], x => x[0].mean([0])),
        new("prod", [[5, 4]], x => x[0].prod(1)),
        new("var", [[5, 17]], x => x[0].var(1)),
        new("std", [[5, 17]], x => x[0].std(1)),
        new("amax", [[5, 17]], x => x[0].amax([1])),
        new("amin", [[5, 17]], x => x[0].amin([1])),
        new("max values", [[5, 17]], x => x[0].max(1).values),
        new("argmax", [[5, 17]], x => x[0].argmax(1).to(x[0].dtype), Gradient: false),
        new("norm 1", [[5, 17]], x => norm(x[0], 1f)),
        new("norm 2", [[5, 17]], x => linalg.vector_norm(x[0], 2, [1])),
        new("median", [[5, 17]], x => x[0].median(1).values),
        new("kthvalue", [[5, 17]], x => kthvalue(x[0], 3, 1).values),
        new("cumsum", [[5, 17]], x => x[0].cumsum(1)),
        new("cumprod", [[5, 6]], x => x[0].cumprod(1)),
        new("logcumsumexp", [[5, 17]], x => x[0].logcumsumexp(1)),
        new("cummax", [[5, 17]], x => x[0].cummax(1).values),
        new("sorted", [[5, 17]], x => x[0].sort(1).Values),
        new("argsort", [[5, 17]], x => argsort(x[0], 1).to(x[0].dtype), Gradient: false),
        new("largest 3", [[5, 17]], x => x[0].topk(3, 1).values),
        new("quantile", [[5, 17]], x => quantile(x[0], tensor(new double[] { 0.2, 0.7 }, x[0].dtype, x[0].device), 1)),
        new("unique", [[5, 17]], x => unique((x[0] * 3).round()).output, Gradient: false),
        new("searchsorted", [[9], [5, 7]], x => searchsorted(x[0].sort().Values, x[1]).to(x[0].dtype), Gradient: false),
        new("bucketize", [[9], [5, 7]], x => bucketize(x[1], x[0].sort().Values).to(x[0].dtype), Gradient: false),
        new("bincount", [[5, 17]], x => bincount(((x[0] * 2).round().abs()).to(ScalarType.Int64).view(-1), minlength: 12).to(x[0].dtype), Gradient: false),
        new("histc", [[5, 17]], x => histc(x[0], 7, -2, 2), Gradient: false),
        new("any and all", [[5, 17]], x => (x[0] > 1).any(1).to(x[0].dtype) + (x[0] > -4).all(1).to(x[0].dtype), Gradient: false),
        new("cdist", [[5, 7], [6, 7]], x => cdist(x[0], x[1])),
        new("cosine_similarity", [[4, 11], [4, 11]], x => F.cosine_similarity(x[0], x[1])),
        new("cov", [[5, 17]], x => cov(x[0])),
    ];
}
