using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>1 - cos where the target is 1, max(0, cos - margin) where it is -1.</summary>
            public static CosineEmbeddingLoss CosineEmbeddingLoss(double margin = 0.0, Reduction reduction = Reduction.Mean) => new(margin, reduction);

            /// <summary>max(0, -y(a - b) + margin).</summary>
            public static MarginRankingLoss MarginRankingLoss(double margin = 0, Reduction reduction = Reduction.Mean) => new(margin, reduction);

            /// <summary>max(0, |a - p| - |a - n| + margin).</summary>
            public static TripletMarginLoss TripletMarginLoss(double margin = 1.0, long p = 2, double eps = 1e-06, bool swap = false, Reduction reduction = Reduction.Mean) => new(margin, p, eps, swap, reduction);

            /// <summary>The negative log-likelihood under a normal distribution.</summary>
            public static GaussianNLLLoss GaussianNLLLoss(bool full = false, float eps = 1e-8f, Reduction reduction = Reduction.Mean) => new(full, eps, reduction);
        }
    }
}

namespace Recsys.Torch.Modules
{
    public sealed class CosineEmbeddingLoss(double margin, nn.Reduction reduction) : nn.Module<Tensor, Tensor, Tensor, Tensor>(nameof(CosineEmbeddingLoss))
    {
        public nn.Reduction reduction { get; } = reduction;

        public override Tensor forward(Tensor input1, Tensor input2, Tensor target) => nn.functional.cosine_embedding_loss(input1, input2, target, margin, reduction);
    }

    public sealed class MarginRankingLoss(double margin, nn.Reduction reduction) : nn.Module<Tensor, Tensor, Tensor, Tensor>(nameof(MarginRankingLoss))
    {
        public nn.Reduction reduction { get; } = reduction;

        public override Tensor forward(Tensor input1, Tensor input2, Tensor target) => nn.functional.margin_ranking_loss(input1, input2, target, margin, reduction);
    }

    public sealed class TripletMarginLoss(double margin, long p, double eps, bool swap, nn.Reduction reduction) : nn.Module<Tensor, Tensor, Tensor, Tensor>(nameof(TripletMarginLoss))
    {
        public nn.Reduction reduction { get; } = reduction;

        public override Tensor forward(Tensor anchor, Tensor positive, Tensor negative) => nn.functional.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction);
    }

    public sealed class GaussianNLLLoss(bool full, float eps, nn.Reduction reduction) : nn.Module<Tensor, Tensor, Tensor, Tensor>(nameof(GaussianNLLLoss))
    {
        public nn.Reduction reduction { get; } = reduction;

        public override Tensor forward(Tensor input, Tensor target, Tensor variance) => nn.functional.gaussian_nll_loss(input, target, variance, full, eps, reduction);
    }
}
