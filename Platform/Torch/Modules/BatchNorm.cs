using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Per-channel statistics of the batch while training, running ones in evaluation (Ioffe and Szegedy 2015).</summary>
            public static BatchNorm1d BatchNorm1d(
                long num_features, double eps = 1e-05, double momentum = 0.1, bool affine = true, bool track_running_stats = true, Device? device = null, ScalarType? dtype = null) =>
                new(num_features, eps, momentum, affine, track_running_stats, device, dtype);

            /// <inheritdoc cref="BatchNorm1d(long, double, double, bool, bool, Device?, ScalarType?)"/>
            public static BatchNorm2d BatchNorm2d(
                long num_features, double eps = 1e-05, double momentum = 0.1, bool affine = true, bool track_running_stats = true, Device? device = null, ScalarType? dtype = null) =>
                new(num_features, eps, momentum, affine, track_running_stats, device, dtype);

            /// <inheritdoc cref="BatchNorm1d(long, double, double, bool, bool, Device?, ScalarType?)"/>
            public static BatchNorm3d BatchNorm3d(
                long num_features, double eps = 1e-05, double momentum = 0.1, bool affine = true, bool track_running_stats = true, Device? device = null, ScalarType? dtype = null) =>
                new(num_features, eps, momentum, affine, track_running_stats, device, dtype);
        }
    }
}

namespace Recsys.Torch.Modules
{
    public abstract class BatchNorm : AffineModule
    {
        private readonly double _momentum;
        private readonly double _eps;
        private readonly string _ranks;

        internal BatchNorm(string name, string ranks, long channels, double eps, double momentum, bool affine, bool track, Device? device, ScalarType? dtype)
            : base(name)
        {
            (_ranks, _eps, _momentum) = (ranks, eps, momentum);
            if (affine)
            {
                weight = Empty([channels], device, dtype);
                bias = Empty([channels], device, dtype);
                ResetToIdentity();
            }

            if (track)
            {
                register_buffer("running_mean", running_mean = nn.init.zeros_(empty([channels], dtype: dtype, device: device)));
                register_buffer("running_var", running_var = nn.init.ones_(empty([channels], dtype: dtype, device: device)));
                register_buffer("num_batches_tracked", num_batches_tracked = nn.init.zeros_(empty([], dtype: ScalarType.Int64, device: device)));
            }
        }

        public Tensor? running_mean { get; }

        public Tensor? running_var { get; }

        public Tensor? num_batches_tracked { get; }

        public override Tensor forward(Tensor input)
        {
            if (!_ranks.Contains((char)('0' + input.shape.Length)))
            {
                throw new ArgumentException($"{GetName()} takes {string.Join(" or ", _ranks.ToCharArray())} dimensions, got shape [{string.Join(", ", input.shape)}]");
            }

            bool batch = training || running_mean is null;
            if (training && num_batches_tracked is not null)
            {
                Dispatcher.Run("add_.Scalar", num_batches_tracked, 1L);
            }

            return Dispatcher.Call("batch_norm", input, weight, bias, running_mean, running_var, batch, _momentum, _eps, true);
        }
    }

    public sealed class BatchNorm1d : BatchNorm
    {
        internal BatchNorm1d(long channels, double eps, double momentum, bool affine, bool track, Device? device, ScalarType? dtype)
            : base(nameof(BatchNorm1d), "23", channels, eps, momentum, affine, track, device, dtype)
        {
        }
    }

    public sealed class BatchNorm2d : BatchNorm
    {
        internal BatchNorm2d(long channels, double eps, double momentum, bool affine, bool track, Device? device, ScalarType? dtype)
            : base(nameof(BatchNorm2d), "4", channels, eps, momentum, affine, track, device, dtype)
        {
        }
    }

    public sealed class BatchNorm3d : BatchNorm
    {
        internal BatchNorm3d(long channels, double eps, double momentum, bool affine, bool track, Device? device, ScalarType? dtype)
            : base(nameof(BatchNorm3d), "5", channels, eps, momentum, affine, track, device, dtype)
        {
        }
    }
}
