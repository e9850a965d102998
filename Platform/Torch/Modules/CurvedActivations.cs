using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>x above 0, α(eˣ - 1) below (Clevert et al. 2016).</summary>
            public static ELU ELU(double alpha = 1.0, bool inplace = false) => new(alpha, inplace);

            /// <summary>A scaled ELU whose activations keep mean 0 and variance 1 (Klambauer et al. 2017).</summary>
            public static SELU SELU(bool inplace = false) => new(inplace);

            /// <summary>max(0, x) + min(0, α(e^(x/α) - 1)).</summary>
            public static CELU CELU(double alpha = 1.0, bool inplace = false) => new(alpha, inplace);

            /// <summary>a · σ(b) of the two halves of a dimension (Dauphin et al. 2017).</summary>
            public static GLU GLU(long dim = -1) => new(dim);

            /// <summary>ln σ(x).</summary>
            public static LogSigmoid LogSigmoid() => new();

            /// <summary>x - ln Σ eˣ along a dimension.</summary>
            public static LogSoftmax LogSoftmax(long dim) => new(dim);

            /// <summary>x · tanh(softplus(x)) (Misra 2020).</summary>
            public static Mish Mish(bool inplace = false) => new(inplace);

            /// <summary>The softmax of -x.</summary>
            public static Softmin Softmin(long dim) => new(dim);

            /// <summary>The softmax over the channels of [batch, channels, height, width].</summary>
            public static Softmax2d Softmax2d() => new();

            /// <summary>x / (1 + |x|).</summary>
            public static Softsign Softsign(bool inplace = false) => new(inplace);
        }
    }
}

namespace Recsys.Torch.Modules
{
    public sealed class ELU(double alpha, bool inplace) : nn.Module<Tensor, Tensor>(nameof(ELU))
    {
        public override Tensor forward(Tensor input) => nn.functional.elu(input, alpha, inplace);
    }

    public sealed class SELU(bool inplace) : nn.Module<Tensor, Tensor>(nameof(SELU))
    {
        public override Tensor forward(Tensor input) => nn.functional.selu(input, inplace);
    }

    public sealed class CELU(double alpha, bool inplace) : nn.Module<Tensor, Tensor>(nameof(CELU))
    {
        public override Tensor forward(Tensor input) => nn.functional.celu(input, alpha, inplace);
    }

    public sealed class GLU(long dim) : nn.Module<Tensor, Tensor>(nameof(GLU))
    {
        public override Tensor forward(Tensor input) => nn.functional.glu(input, dim);
    }

    public sealed class LogSigmoid() : nn.Module<Tensor, Tensor>(nameof(LogSigmoid))
    {
        public override Tensor forward(Tensor input) => nn.functional.logsigmoid(input);
    }

    public sealed class LogSoftmax(long dim) : nn.Module<Tensor, Tensor>(nameof(LogSoftmax))
    {
        public override Tensor forward(Tensor input) => nn.functional.log_softmax(input, dim);
    }

    public sealed class Mish(bool inplace) : nn.Module<Tensor, Tensor>(nameof(Mish))
    {
        public override Tensor forward(Tensor input) => nn.functional.mish(input, inplace);
    }

    public sealed class Softmin(long dim) : nn.Module<Tensor, Tensor>(nameof(Softmin))
    {
        public override Tensor forward(Tensor input) => nn.functional.softmin(input, dim);
    }

    public sealed class Softmax2d() : nn.Module<Tensor, Tensor>(nameof(Softmax2d))
    {
        public override Tensor forward(Tensor input) => nn.functional.softmax2d(input);
    }

    public sealed class Softsign(bool inplace) : nn.Module<Tensor, Tensor>(nameof(Softsign))
    {
        public override Tensor forward(Tensor input) => nn.functional.softsign(input, inplace);
    }
}
