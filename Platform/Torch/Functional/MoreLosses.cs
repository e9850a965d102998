using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>x where target is 1, max(0, margin − x) where it is −1.</summary>
            public static Tensor hinge_embedding_loss(Tensor input, Tensor target, double margin = 0.0, Reduction reduction = Reduction.Mean) =>
                Call("hinge_embedding_loss", input, target, margin, (long)reduction);

            /// <summary>ln(1 + e^(−target·x)).</summary>
            public static Tensor soft_margin_loss(Tensor input, Tensor target, Reduction reduction = Reduction.Mean) =>
                Call("soft_margin_loss", input, target, (long)reduction);

            public static Tensor multi_margin_loss(
                Tensor input, Tensor target, int p = 1, double margin = 1.0, Tensor? weight = null, Reduction reduction = Reduction.Mean) =>
                Call("multi_margin_loss", input, target, p, margin, weight, (long)reduction);

            public static Tensor multi_label_margin_loss(Tensor input, Tensor target, Reduction reduction = Reduction.Mean) =>
                Call("multilabel_margin_loss", input, target, (long)reduction);

            /// <summary>Binary cross-entropy of the logits' sigmoids, averaged over classes.</summary>
            public static Tensor multilabel_soft_margin_loss(Tensor input, Tensor target, Tensor? weight = null, Reduction reduction = Reduction.Mean)
            {
                using var scope = NewDisposeScope();
                var loss = -((target * input.log_sigmoid()) + ((1 - target) * (-input).log_sigmoid()));
                loss = (weight is null ? loss : loss * weight).mean([-1]);
                return Reduced(loss, reduction).MoveToOuterDisposeScope();
            }

            /// <summary>max(0, ‖a − p‖ − ‖a − n‖ + margin); with swap the nearer of a and p is kept from the negative.</summary>
            public static Tensor triplet_margin_loss(
                Tensor anchor, Tensor positive, Tensor negative, double margin = 1.0, long p = 2, double eps = 1e-06, bool swap = false,
                Reduction reduction = Reduction.Mean) =>
                Call("triplet_margin_loss", anchor, positive, negative, margin, (double)p, eps, swap, (long)reduction);

            /// <summary>e^x − target·x of a logarithmic rate, or x − target·ln(x + eps); full adds Stirling's approximation of ln target!.</summary>
            public static Tensor poisson_nll_loss(
                Tensor input, Tensor target, bool log_input = true, bool full = false, float eps = 1e-8f, Reduction reduction = Reduction.Mean) =>
                Call("poisson_nll_loss", input, target, log_input, full, (double)eps, (long)reduction);

            /// <summary>½(ln var + (x − target)² / var), the variance bounded below by eps; full adds ½ ln 2π.</summary>
            public static Tensor gaussian_nll_loss(
                Tensor input, Tensor target, Tensor variance, bool full = false, float eps = 1e-6f, Reduction reduction = Reduction.Mean)
            {
                using var scope = NewDisposeScope();
                var bounded = variance.clamp(min: (double)eps);
                var loss = (bounded.log() + ((input - target).square() / bounded)) * 0.5;
                return Reduced(full ? loss + (0.5 * Math.Log(2 * Math.PI)) : loss, reduction).MoveToOuterDisposeScope();
            }

            /// <summary>Connectionist temporal classification (Graves et al. 2006): log-probabilities [time, batch, classes].</summary>
            public static Tensor ctc_loss(
                Tensor log_probs, Tensor targets, Tensor input_lengths, Tensor target_lengths, long blank = 0, bool zero_infinity = false,
                Reduction reduction = Reduction.Mean) =>
                Call("ctc_loss.Tensor", log_probs, targets, input_lengths, target_lengths, blank, (long)reduction, zero_infinity);

            private static Tensor Reduced(Tensor loss, Reduction reduction) => reduction switch
            {
                Reduction.Mean => loss.mean(),
                Reduction.Sum => loss.sum(),
                _ => loss,
            };
        }
    }
}
