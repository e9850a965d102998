using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Softmax cross-entropy of logits [batch, classes, …] against classes [batch, …].</summary>
            public static CrossEntropyLoss CrossEntropyLoss(Tensor? weight = null, long? ignore_index = null, Reduction reduction = Reduction.Mean) =>
                new(weight, ignore_index, reduction);

            /// <summary>Squared difference.</summary>
            public static MSELoss MSELoss(Reduction reduction = Reduction.Mean) => new(reduction);
        }
    }
}

namespace Recsys.Torch.Modules
{
    public abstract class Loss<T1, T2, TResult> : nn.Module<T1, T2, TResult>
    {
        private protected Loss(string name, nn.Reduction reduction)
            : base(name) => this.reduction = reduction;

        public nn.Reduction reduction { get; }
    }

    public sealed class CrossEntropyLoss : Loss<Tensor, Tensor, Tensor>
    {
        private readonly long _ignored;

        internal CrossEntropyLoss(Tensor? weight, long? ignored, nn.Reduction reduction)
            : base(nameof(CrossEntropyLoss), reduction)
        {
            _ignored = ignored ?? -100;
            this.weight = weight;
            if (weight is not null)
            {
                register_buffer("weight", weight);
            }
        }

        /// <summary>One factor a class [classes], or null.</summary>
        public Tensor? weight { get; }

        public override Tensor forward(Tensor input, Tensor target) =>
            nn.functional.cross_entropy(input, target, weight, _ignored, reduction);
    }

    public sealed class MSELoss : Loss<Tensor, Tensor, Tensor>
    {
        internal MSELoss(nn.Reduction reduction)
            : base(nameof(MSELoss), reduction)
        {
        }

        public override Tensor forward(Tensor input, Tensor target) => nn.functional.mse_loss(input, target, reduction);
    }
}
