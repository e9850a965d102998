using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Statistics of each channel of each example (Ulyanov et al. 2016), of [batch, channels, length].</summary>
            public static InstanceNorm1d InstanceNorm1d(
                long num_features, double eps = 1e-05, double momentum = 0.1, bool affine = false, bool track_running_stats = false, Device? device = null, ScalarType? dtype = null) =>
                new(num_features, eps, momentum, affine, track_running_stats, device, dtype);

            /// <summary>Statistics of each channel of each example (Ulyanov et al. 2016), of [batch, channels, …].</summary>
            public static InstanceNorm2d InstanceNorm2d(
                long num_features, double eps = 1e-05, double momentum = 0.1, bool affine = false, bool track_running_stats = false, Device? device = null, ScalarType? dtype = null) =>
                new(num_features, eps, momentum, affine, track_running_stats, device, dtype);

            /// <summary>Statistics of each channel of each example (Ulyanov et al. 2016), of [batch, channels, …].</summary>
            public static InstanceNorm3d InstanceNorm3d(
                long num_features, double eps = 1e-05, double momentum = 0.1, bool affine = false, bool track_running_stats = false, Device? device = null, ScalarType? dtype = null) =>
                new(num_features, eps, momentum, affine, track_running_stats, device, dtype);
        }
    }
}

namespace Recsys.Torch.Modules
{
    public abstract class InstanceNorm : AffineModule
    {
        private readonly double _eps;
        private readonly double _momentum;

        private protected InstanceNorm(string name, long channels, double eps, double momentum, bool affine, bool track, Device? device, ScalarType? dtype)
            : base(name)
        {
            (_eps, _momentum) = (eps, momentum);
            if (affine)
            {
                weight = Empty([channels], device, dtype);
                bias = Empty([channels], device, dtype);
                ResetToIdentity();
            }

            if (track)
            {
                register_buffer("running_mean", running_mean = zeros([channels], dtype, device));
                register_buffer("running_var", running_var = ones([channels], dtype, device));
                register_buffer("num_batches_tracked", num_batches_tracked = zeros([], ScalarType.Int64, device));
            }
        }

        public Tensor? running_mean { get; }

        public Tensor? running_var { get; }

        public Tensor? num_batches_tracked { get; }

        public override Tensor forward(Tensor input) =>
            nn.functional.instance_norm(input, running_mean, running_var, weight, bias, training || running_mean is null, _momentum, _eps);
    }

    public sealed class InstanceNorm1d : InstanceNorm
    {
        internal InstanceNorm1d(long channels, double eps, double momentum, bool affine, bool track, Device? device, ScalarType? dtype)
            : base(nameof(InstanceNorm1d), channels, eps, momentum, affine, track, device, dtype)
        {
        }
    }

    public sealed class InstanceNorm2d : InstanceNorm
    {
        internal InstanceNorm2d(long channels, double eps, double momentum, bool affine, bool track, Device? device, ScalarType? dtype)
            : base(nameof(InstanceNorm2d), channels, eps, momentum, affine, track, device, dtype)
        {
        }
    }

    public sealed class InstanceNorm3d : InstanceNorm
    {
        internal InstanceNorm3d(long channels, double eps, double momentum, bool affine, bool track, Device? device, ScalarType? dtype)
            : base(nameof(InstanceNorm3d), channels, eps, momentum, affine, track, device, dtype)
        {
        }
    }
}
