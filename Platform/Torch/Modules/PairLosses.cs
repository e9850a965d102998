using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>|x - y|.</summary>
            public static L1Loss L1Loss(Reduction reduction = Reduction.Mean) => new(reduction);

            /// <summary>(x - y)²/2β near 0, |x - y| - β/2 elsewhere.</summary>
            public static SmoothL1Loss SmoothL1Loss(Reduction reduction = Reduction.Mean, double beta = 1.0) => new(reduction, beta);

            /// <summary>(x - y)²/2 near 0, δ(|x - y| - δ/2) elsewhere.</summary>
            public static HuberLoss HuberLoss(double delta = 1.0, Reduction reduction = Reduction.Mean) => new(delta, reduction);

            /// <summary>Binary cross-entropy of probabilities.</summary>
            public static BCELoss BCELoss(Tensor? weight = null, Reduction reduction = Reduction.Mean) => new(weight, reduction);

            /// <summary>Binary cross-entropy of logits.</summary>
            public static BCEWithLogitsLoss BCEWithLogitsLoss(Tensor? weight = null, Reduction reduction = Reduction.Mean, Tensor? pos_weights = null) => new(weight, reduction, pos_weights);

            /// <summary>-log-probability of the class.</summary>
            public static NLLLoss NLLLoss(Tensor? weight = null, Reduction reduction = Reduction.Mean) => new(weight, reduction);

            /// <summary>The Kullback-Leibler divergence from log-probabilities.</summary>
            public static KLDivLoss KLDivLoss(bool log_target = true, Reduction reduction = Reduction.Mean) => new(log_target, reduction);

            /// <summary>x where the target is 1, max(0, margin - x) where it is -1.</summary>
            public static HingeEmbeddingLoss HingeEmbeddingLoss(double margin = 1.0, Reduction reduction = Reduction.Mean) => new(margin, reduction);

            /// <summary>ln(1 + e^(-yx)).</summary>
            public static SoftMarginLoss SoftMarginLoss(Reduction reduction = Reduction.Mean) => new(reduction);

            /// <summary>Margins of every right class over every wrong one.</summary>
            public static MultiLabelMarginLoss MultiLabelMarginLoss(Reduction reduction = Reduction.Mean) => new(reduction);

            /// <summary>Binary cross-entropy averaged over classes.</summary>
            public static MultiLabelSoftMarginLoss MultiLabelSoftMarginLoss(Tensor? weight = null, Reduction reduction = Reduction.Mean) => new(weight, reduction);

            /// <summary>Margins of the right class over the others.</summary>
            public static MultiMarginLoss MultiMarginLoss(int p = 1, double margin = 1.0, Tensor? weight = null, Reduction reduction = Reduction.Mean) => new(p, margin, weight, reduction);

            /// <summary>The negative log-likelihood of counts under a Poisson rate.</summary>
            public static PoissonNLLLoss PoissonNLLLoss(bool log_input = true, bool full = false, float eps = 1e-8f, Reduction reduction = Reduction.Mean) => new(log_input, full, eps, reduction);
        }
    }
}

namespace Recsys.Torch.Modules
{
    public sealed class L1Loss(nn.Reduction reduction) : Loss<Tensor, Tensor, Tensor>(nameof(L1Loss), reduction)
    {
        public override Tensor forward(Tensor input, Tensor target) => nn.functional.l1_loss(input, target, reduction);
    }

    public sealed class SmoothL1Loss(nn.Reduction reduction, double beta) : Loss<Tensor, Tensor, Tensor>(nameof(SmoothL1Loss), reduction)
    {
        public override Tensor forward(Tensor input, Tensor target) => nn.functional.smooth_l1_loss(input, target, reduction, beta);
    }

    public sealed class HuberLoss(double delta, nn.Reduction reduction) : Loss<Tensor, Tensor, Tensor>(nameof(HuberLoss), reduction)
    {
        public override Tensor forward(Tensor input, Tensor target) => nn.functional.huber_loss(input, target, delta, reduction);
    }

    public sealed class BCELoss(Tensor? weight, nn.Reduction reduction) : Loss<Tensor, Tensor, Tensor>(nameof(BCELoss), reduction)
    {
        public override Tensor forward(Tensor input, Tensor target) => nn.functional.binary_cross_entropy(input, target, weight, reduction);
    }

    public sealed class BCEWithLogitsLoss(Tensor? weight, nn.Reduction reduction, Tensor? pos_weights) : Loss<Tensor, Tensor, Tensor>(nameof(BCEWithLogitsLoss), reduction)
    {
        public override Tensor forward(Tensor input, Tensor target) => nn.functional.binary_cross_entropy_with_logits(input, target, weight, reduction, pos_weights);
    }

    public sealed class NLLLoss(Tensor? weight, nn.Reduction reduction) : Loss<Tensor, Tensor, Tensor>(nameof(NLLLoss), reduction)
    {
        public override Tensor forward(Tensor input, Tensor target) => nn.functional.nll_loss(input, target, weight, reduction);
    }

    public sealed class KLDivLoss(bool log_target, nn.Reduction reduction) : Loss<Tensor, Tensor, Tensor>(nameof(KLDivLoss), reduction)
    {
        public override Tensor forward(Tensor input, Tensor target) => nn.functional.kl_div(input, target, log_target, reduction);
    }

    public sealed class HingeEmbeddingLoss(double margin, nn.Reduction reduction) : Loss<Tensor, Tensor, Tensor>(nameof(HingeEmbeddingLoss), reduction)
    {
        public override Tensor forward(Tensor input, Tensor target) => nn.functional.hinge_embedding_loss(input, target, margin, reduction);
    }

    public sealed class SoftMarginLoss(nn.Reduction reduction) : Loss<Tensor, Tensor, Tensor>(nameof(SoftMarginLoss), reduction)
    {
        public override Tensor forward(Tensor input, Tensor target) => nn.functional.soft_margin_loss(input, target, reduction);
    }

    public sealed class MultiLabelMarginLoss(nn.Reduction reduction) : Loss<Tensor, Tensor, Tensor>(nameof(MultiLabelMarginLoss), reduction)
    {
        public override Tensor forward(Tensor input, Tensor target) => nn.functional.multi_label_margin_loss(input, target, reduction);
    }

    public sealed class MultiLabelSoftMarginLoss(Tensor? weight, nn.Reduction reduction) : Loss<Tensor, Tensor, Tensor>(nameof(MultiLabelSoftMarginLoss), reduction)
    {
        public override Tensor forward(Tensor input, Tensor target) => nn.functional.multilabel_soft_margin_loss(input, target, weight, reduction);
    }

    public sealed class MultiMarginLoss(int p, double margin, Tensor? weight, nn.Reduction reduction) : Loss<Tensor, Tensor, Tensor>(nameof(MultiMarginLoss), reduction)
    {
        public override Tensor forward(Tensor input, Tensor target) => nn.functional.multi_margin_loss(input, target, p, margin, weight, reduction);
    }

    public sealed class PoissonNLLLoss(bool log_input, bool full, float eps, nn.Reduction reduction) : Loss<Tensor, Tensor, Tensor>(nameof(PoissonNLLLoss), reduction)
    {
        public override Tensor forward(Tensor input, Tensor target) => nn.functional.poisson_nll_loss(input, target, log_input, full, eps, reduction);
    }
}
