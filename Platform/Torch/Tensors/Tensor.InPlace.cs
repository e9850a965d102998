using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    /// <summary>Less common operators that write into the tensor.</summary>
    public partial class Tensor
    {
        public Tensor eq_(Tensor target) => InPlace("eq_.Tensor", target);

        public Tensor eq_(Scalar target) => InPlace("eq_.Scalar", target);

        public Tensor ne_(Tensor target) => InPlace("ne_.Tensor", target);

        public Tensor ne_(Scalar target) => InPlace("ne_.Scalar", target);

        public Tensor lt_(Tensor target) => InPlace("lt_.Tensor", target);

        public Tensor lt_(Scalar target) => InPlace("lt_.Scalar", target);

        public Tensor le_(Tensor target) => InPlace("le_.Tensor", target);

        public Tensor le_(Scalar target) => InPlace("le_.Scalar", target);

        public Tensor gt_(Tensor target) => InPlace("gt_.Tensor", target);

        public Tensor gt_(Scalar target) => InPlace("gt_.Scalar", target);

        public Tensor ge_(Tensor target) => InPlace("ge_.Tensor", target);

        public Tensor ge_(Scalar target) => InPlace("ge_.Scalar", target);

        public Tensor transpose_(long dim0, long dim1) => InPlace("transpose_", dim0, dim1);

        public Tensor t_() => InPlace("t_");

        public Tensor nan_to_num_(double? nan = null, double? posinf = null, double? neginf = null) => InPlace("nan_to_num_", nan, posinf, neginf);

        public Tensor log_normal_(double mean = 1.0, double std = 2.0, Generator? generator = null) => InPlace("log_normal_", mean, std, generator);

        public Tensor cauchy_(double median = 0.0, double sigma = 1.0, Generator? generator = null) => InPlace("cauchy_", median, sigma, generator);

        public Tensor geometric_(double p, Generator? generator = null) => InPlace("geometric_", p, generator);

        public Tensor floor_divide_(Tensor other) => InPlace("floor_divide_.Tensor", other);

        public Tensor renorm(float p, long dim, float maxnorm) => Call("renorm", this, (double)p, dim, (double)maxnorm);
    }
}
