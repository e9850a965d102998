using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    public partial class Tensor
    {
        public Tensor gelu() => Call("gelu", this);

        public Tensor silu() => Call("silu", this);

        public Tensor silu_() => InPlace("silu_");

        public Tensor leaky_relu(Scalar negative_slope) => Call("leaky_relu", this, negative_slope);

        public Tensor leaky_relu_(Scalar negative_slope) => InPlace("leaky_relu_", negative_slope);

        public Tensor elu(double alpha = 1) => Call("elu", this, alpha);

        public Tensor selu() => Call("selu", this);

        public Tensor glu(long dim = -1) => Call("glu", this, dim);

        public Tensor hardtanh(Scalar min, Scalar max) => Call("hardtanh", this, min, max);

        public Tensor softplus(double beta = 1, double threshold = 20) => Call("softplus", this, beta, threshold);

        public Tensor log_sigmoid() => Call("log_sigmoid", this);

        public Tensor pixel_shuffle(long upscale_factor) => Call("pixel_shuffle", this, upscale_factor);

        public Tensor pixel_unshuffle(long downscale_factor) => Call("pixel_unshuffle", this, downscale_factor);
    }
}
