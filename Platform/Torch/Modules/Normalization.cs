using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Mean 0 and variance 1 over the last dimensions (Ba et al. 2016), then weight and bias.</summary>
            public static LayerNorm LayerNorm(
                long[] normalized_shape, double eps = 1e-05, bool elementwise_affine = true, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new(normalized_shape, eps, elementwise_affine, bias, device, dtype);

            public static LayerNorm LayerNorm(
                long normalized_shape, double eps = 1e-05, bool elementwise_affine = true, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new([normalized_shape], eps, elementwise_affine, bias, device, dtype);

            /// <summary>Mean 0 and variance 1 over each group of channels (Wu and He 2018), then weight and bias a channel.</summary>
            public static GroupNorm GroupNorm(
                long num_groups, long num_channels, double eps = 1e-05, bool affine = true, Device? device = null, ScalarType? dtype = null) =>
                new(num_groups, num_channels, eps, affine, device, dtype);

            /// <summary>Root mean square 1 over the last dimensions (Zhang and Sennrich 2019), then weight. TorchSharp lacks it.</summary>
            public static RMSNorm RMSNorm(
                long[] normalized_shape, double eps = 1e-06, bool elementwise_affine = true, Device? device = null, ScalarType? dtype = null) =>
                new(normalized_shape, eps, elementwise_affine, device, dtype);

            public static RMSNorm RMSNorm(
                long normalized_shape, double eps = 1e-06, bool elementwise_affine = true, Device? device = null, ScalarType? dtype = null) =>
                new([normalized_shape], eps, elementwise_affine, device, dtype);
        }
    }
}

namespace Recsys.Torch.Modules
{
    public sealed class LayerNorm : AffineModule
    {
        internal LayerNorm(long[] shape, double eps, bool affine, bool hasBias, Device? device, ScalarType? dtype)
            : base(nameof(LayerNorm))
        {
            (normalized_shape, this.eps, elementwise_affine) = (shape, eps, affine);
            if (affine)
            {
                weight = Empty(shape, device, dtype);
                bias = hasBias ? Empty(shape, device, dtype) : null;
            }

            ResetToIdentity();
        }

        public long[] normalized_shape { get; }

        public double eps { get; }

        public bool elementwise_affine { get; }

        public override Tensor forward(Tensor input) => Dispatcher.Call("layer_norm", input, normalized_shape, weight, bias, eps);
    }

    public sealed class GroupNorm : AffineModule
    {
        internal GroupNorm(long groups, long channels, double eps, bool affine, Device? device, ScalarType? dtype)
            : base(nameof(GroupNorm))
        {
            if (groups < 1 || channels % groups != 0)
            {
                throw new ArgumentException($"{channels} channels do not divide into {groups} groups");
            }

            (num_groups, this.eps, this.affine) = (groups, eps, affine);
            if (affine)
            {
                weight = Empty([channels], device, dtype);
                bias = Empty([channels], device, dtype);
            }

            ResetToIdentity();
        }

        public long num_groups { get; }

        public double eps { get; }

        public bool affine { get; }

        /// <param name="input">[batch, channels, …]</param>
        public override Tensor forward(Tensor input) => Dispatcher.Call("group_norm", input, num_groups, weight, bias, eps);
    }

    public sealed class RMSNorm : AffineModule
    {
        private static readonly bool Native = Dispatcher.Has("rms_norm"); // libtorch 2.4 and later
        private readonly long[] _dimensions;

        internal RMSNorm(long[] shape, double eps, bool affine, Device? device, ScalarType? dtype)
            : base(nameof(RMSNorm))
        {
            (normalized_shape, this.eps) = (shape, eps);
            _dimensions = [.. Enumerable.Range(1, shape.Length).Select(i => (long)-i)];
            if (affine)
            {
                weight = Empty(shape, device, dtype);
                ResetToIdentity();
            }
        }

        public long[] normalized_shape { get; }

        public double eps { get; }

        public override Tensor forward(Tensor input)
        {
            if (Native)
            {
                return Dispatcher.Call("rms_norm", input, normalized_shape, weight, eps);
            }

            using var scope = NewDisposeScope();
            Tensor mean = Dispatcher.Call("mean.dim", Dispatcher.Call("square", input), _dimensions, true); // [..., 1]
            Tensor scaled = Dispatcher.Call("mul.Tensor", input, Dispatcher.Call("rsqrt", Dispatcher.Call("add.Scalar", mean, eps)));
            return (weight is null ? scaled : Dispatcher.Call("mul.Tensor", scaled, weight)).MoveToOuterDisposeScope();
        }
    }
}
