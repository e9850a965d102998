using Recsys.Torch;
using static Recsys.Torch.torch;
using F = Recsys.Torch.torch.nn.functional;

namespace Recsys.Server.Selftest;

/// <summary>Losses.</summary>
internal static class LossChecks
{
    public static IReadOnlyList<NumericCheck> All { get; } =
    [
        new("mse_loss", [[5, 7], [5, 7]], x => F.mse_loss(x[0], x[1])),
        new("l1_loss", [[5, 7], [5, 7]], x => F.l1_loss(x[0], x[1])),
        new("smooth_l1_loss", [[5, 7], [5, 7]], x => F.smooth_l1_loss(x[0], x[1])),
        new("huber_loss", [[5, 7], [5, 7]], x => F.huber_loss(x[0], x[1], 0.5)),
        new("cross_entropy", [[5, 7]], x => F.cross_entropy(x[0], tensor(new long[] { 1, 6, 0, 3, 3 }, device: x[0].device))),
        new("cross_entropy, smoothed", [[5, 7]], x => F.cross_entropy(x[0], tensor(new long[] { 1, 6, 0, 3, 3 }, device: x[0].device), ignore_index: 3, label_smoothing: 0.1)),
        new("cross_entropy of probabilities", [[5, 7], [5, 7]], x => F.cross_entropy(x[0], x[1].softmax(1))),
        new("nll_loss", [[5, 7]], x => F.nll_loss(x[0].log_softmax(1), tensor(new long[] { 1, 6, 0, 3, 3 }, device: x[0].device))),
        new("binary_cross_entropy", [[5, 7], [5, 7]], x => F.binary_cross_entropy(x[0].sigmoid(), x[1].sigmoid().detach()), Gradient: false),
        new("binary_cross_entropy_with_logits", [[5, 7], [5, 7]], x => F.binary_cross_entropy_with_logits(x[0], x[1].sigmoid())),
        new("kl_div", [[5, 7], [5, 7]], x => F.kl_div(x[0].log_softmax(1), x[1].log_softmax(1))),
        new("margin_ranking_loss", [[5, 7], [5, 7]], x => F.margin_ranking_loss(x[0], x[1], ones_like(x[0]), 0.1)),
        new("triplet_margin_loss", [[5, 7], [5, 7], [5, 7]], x => F.triplet_margin_loss(x[0], x[1], x[2])),
        new("cosine_embedding_loss", [[5, 7], [5, 7]], x => F.cosine_embedding_loss(x[0], x[1], ones(5, x[0].dtype, x[0].device))),
        new("hinge_embedding_loss", [[5, 7]], x => F.hinge_embedding_loss(x[0], -ones_like(x[0]), 1)),
        new("soft_margin_loss", [[5, 7]], x => F.soft_margin_loss(x[0], -ones_like(x[0]))),
        new("poisson_nll_loss", [[5, 7], [5, 7]], x => F.poisson_nll_loss(x[0], x[1].square())),
        new("gaussian_nll_loss", [[5, 7], [5, 7]], x => F.gaussian_nll_loss(x[0], x[1], x[0].square() + 1)),
    ];
}
