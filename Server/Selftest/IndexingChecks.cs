using Recsys.Torch;
using static Recsys.Torch.torch;
using F = Recsys.Torch.torch.nn.functional;

namespace Recsys.Server.Selftest;

/// <summary>Indexing, gathering and rearranging.</summary>
internal static class IndexingChecks
{
    public static IReadOnlyList<NumericCheck> All { get; } =
    [
        new("gather", [[5, 4], [5, 4]], x => gather(x[1], 1, Places(x[0])), Gradient: false),
        new("gather by fixed places", [[2, 4]], x => gather(x[0], 1, At(x[0], [0, 3, 1, 1], 2))),
        new("index_select", [[5, 4]], x => x[0].index_select(1, At(x[0], [3, 0, 3]))),
        new("scatter", [[2, 4], [2, 2]], x => scatter(x[0], 1, At(x[0], [0, 3, 1, 2], 2), x[1])),
        new("scatter_add", [[2, 4], [2, 2]], x => scatter_add(x[0], 1, At(x[0], [0, 0, 1, 2], 2), x[1])),
        new("index_add", [[5, 4], [3, 4]], x => index_add(x[0], 0, At(x[0], [1, 1, 4]), x[1])),
        new("index_copy", [[5, 4], [2, 4]], x => index_copy(x[0], 0, At(x[0], [1, 4]), x[1])),
        new("scatter_reduce amax", [[2, 4], [2, 2]], x => x[0].scatter_reduce(1, At(x[0], [0, 3, 1, 2], 2), x[1], "amax")),
        new("slices", [[6, 7]], x => x[0][1..5, TensorIndex.Slice(0, null, 2)]),
        new("index tensors", [[6, 7]], x => x[0][At(x[0], [0, 5, 2]), At(x[0], [1, 1, 6])]),
        new("mask", [[6, 7]], x => x[0][x[0] > 0]),
        new("masked_fill", [[6, 7]], x => x[0].masked_fill(x[0] > 0.5, 2)),
        new("take", [[6, 7]], x => x[0].take(At(x[0], [0, 41, 7]))),
        new("embedding", [[6, 7]], x => F.embedding(At(x[0], [0, 5, 5, 1]), x[0])),
        new("one_hot", [[6, 7]], x => F.one_hot(At(x[0], [0, 5, 2]), 7).to(x[0].dtype), Gradient: false),
        new("tril", [[6, 7]], x => x[0].tril(-1)),
        new("diagonal", [[6, 7]], x => x[0].diagonal(1)),
        new("flip and roll", [[6, 7]], x => flip(x[0], 1) + roll(x[0], 2, 0)),
        new("repeat_interleave", [[6, 7]], x => repeat_interleave(x[0], 3, 0)),
        new("tile", [[6, 7]], x => tile(x[0], [2, 1])),
        new("cat and stack", [[4, 11], [4, 11]], x => cat([x[0], x[1]], 1).sum([1]) + stack([x[0], x[1]]).sum([0, 2])),
        new("cat, transpose, reshape", [[2, 3, 4], [2, 5, 4]], x => cat([x[0], x[1]], 1).transpose(1, 2).reshape(2, -1)),
        new("chunk and split", [[6, 8]], x => x[0].chunk(2, 1)[1] * x[0].split(4, 1)[0]),
        new("unfold a dimension", [[6, 8]], x => x[0].unfold(1, 3, 2)),
        new("meshgrid", [[3], [4]], x => meshgrid([x[0], x[1]])[0] * meshgrid([x[0], x[1]])[1]),
        new("nonzero", [[6, 7]], x => nonzero(x[0] > 0).to(x[0].dtype), Gradient: false),
    ];

    private static Tensor At(Tensor like, long[] places, long rows = 0)
    {
        var at = tensor(places, ScalarType.Int64, like.device);
        return rows == 0 ? at : at.view(rows, -1);
    }

    private static Tensor Places(Tensor x) => (x * 2).round().abs().remainder(4).to(ScalarType.Int64);
}
