using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>A leaky ReLU with a trained slope, one for all or one a channel (He et al. 2015).</summary>
            public static PReLU PReLU(long num_parameters, double init = 0.25, Device? device = null, ScalarType? dtype = null) => new(num_parameters, init, device, dtype);

            /// <summary>x₁ᵀ W x₂ + b of two inputs.</summary>
            public static Bilinear Bilinear(long in1_features, long in2_features, long out_features, bool hasBias = true, Device? device = null, ScalarType? dtype = null) =>
                new(in1_features, in2_features, out_features, hasBias, device, dtype);
        }
    }
}

namespace Recsys.Torch.Modules
{
    public sealed class PReLU : nn.Module<Tensor, Tensor>
    {
        internal PReLU(long parameters, double init, Device? device, ScalarType? dtype)
            : base(nameof(PReLU)) => register_parameter("weight", weight = new Parameter(full([parameters], init, dtype ?? ScalarType.Float32, device)));

        public Parameter weight { get; }

        public override Tensor forward(Tensor input) => nn.functional.prelu(input, weight);
    }

    public sealed class Bilinear : nn.Module<Tensor, Tensor, Tensor>
    {
        internal Bilinear(long first, long second, long result, bool hasBias, Device? device, ScalarType? dtype)
            : base(nameof(Bilinear))
        {
            double bound = 1 / Math.Sqrt(first);
            register_parameter("weight", weight = AffineModule.Empty([result, first, second], device, dtype));
            nn.init.uniform_(weight, -bound, bound);
            if (hasBias)
            {
                register_parameter("bias", bias = AffineModule.Empty([result], device, dtype));
                nn.init.uniform_(bias, -bound, bound);
            }
        }

        public Parameter weight { get; }

        public Parameter? bias { get; }

        public override Tensor forward(Tensor input1, Tensor input2) => nn.functional.bilinear(input1, input2, weight, bias);
    }
}
