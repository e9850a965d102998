using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Drops whole channels of [batch, channels, length].</summary>
            public static Dropout1d Dropout1d(double p = 0.5, bool inplace = false) => new(p, inplace);

            /// <summary>Drops whole channels of [batch, channels, height, width].</summary>
            public static Dropout2d Dropout2d(double p = 0.5, bool inplace = false) => new(p, inplace);

            /// <summary>Drops whole channels of [batch, channels, depth, height, width].</summary>
            public static Dropout3d Dropout3d(double p = 0.5, bool inplace = false) => new(p, inplace);

            /// <summary>Dropout that keeps mean and variance of SELU's activations.</summary>
            public static AlphaDropout AlphaDropout(double p = 0.5, bool inplace = false) => new(p, inplace);

            /// <summary>Alpha dropout of whole channels.</summary>
            public static FeatureAlphaDropout FeatureAlphaDropout(double p = 0.5, bool inplace = false) => new(p, inplace);

            /// <summary>A leaky ReLU whose slope is drawn while training (Xu et al. 2015).</summary>
            public static RReLU RReLU(double lower = 1.0 / 8, double upper = 1.0 / 3, bool inplace = false) => new(lower, upper, inplace);
        }
    }
}

namespace Recsys.Torch.Modules
{
    public sealed class Dropout1d(double p, bool inplace) : nn.Module<Tensor, Tensor>(nameof(Dropout1d))
    {
        public override Tensor forward(Tensor input) => nn.functional.dropout1d(input, p, training, inplace);
    }

    public sealed class Dropout2d(double p, bool inplace) : nn.Module<Tensor, Tensor>(nameof(Dropout2d))
    {
        public override Tensor forward(Tensor input) => nn.functional.dropout2d(input, p, training, inplace);
    }

    public sealed class Dropout3d(double p, bool inplace) : nn.Module<Tensor, Tensor>(nameof(Dropout3d))
    {
        public override Tensor forward(Tensor input) => nn.functional.dropout3d(input, p, training, inplace);
    }

    public sealed class AlphaDropout(double p, bool inplace) : nn.Module<Tensor, Tensor>(nameof(AlphaDropout))
    {
        public override Tensor forward(Tensor input) => nn.functional.alpha_dropout(input, p, training, inplace);
    }

    public sealed class FeatureAlphaDropout(double p, bool inplace) : nn.Module<Tensor, Tensor>(nameof(FeatureAlphaDropout))
    {
        public override Tensor forward(Tensor input) => nn.functional.feature_alpha_dropout(input, p, training, inplace);
    }

    public sealed class RReLU(double lower, double upper, bool inplace) : nn.Module<Tensor, Tensor>(nameof(RReLU))
    {
        public override Tensor forward(Tensor input) => Dispatcher.Call(inplace ? "rrelu_" : "rrelu", input, lower, upper, training);
    }
}
