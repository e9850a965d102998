using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>Over the last dimensions, which have this shape.</summary>
            public static Tensor layer_norm(Tensor input, long[] normalized_shape, Tensor? weight = null, Tensor? bias = null, double eps = 1e-5)
            {
                if (!IsNarrower(input, weight))
                {
                    return Call("layer_norm", input, normalized_shape, weight, bias, eps);
                }

                using var wide = input.to(weight!.dtype);
                using var normed = Call("layer_norm", wide, normalized_shape, weight, bias, eps);
                return normed.to(input.dtype);
            }

            /// <summary>Over groups of channels. [batch, channels, ...].</summary>
            public static Tensor group_norm(Tensor input, long num_groups, Tensor? weight = null, Tensor? bias = null, double eps = 1e-5)
            {
                if (!IsNarrower(input, weight))
                {
                    return Call("group_norm", input, num_groups, weight, bias, eps);
                }

                using var wide = input.to(weight!.dtype);
                using var normed = Call("group_norm", wide, num_groups, weight, bias, eps);
                return normed.to(input.dtype);
            }

            public static Tensor batch_norm(
                Tensor input, Tensor? running_mean, Tensor? running_var, Tensor? weight = null, Tensor? bias = null,
                bool training = false, double momentum = 0.1, double eps = 1e-5) =>
                Call("batch_norm", input, weight, bias, running_mean, running_var, training, momentum, eps, true);

            public static Tensor instance_norm(
                Tensor input, Tensor? running_mean = null, Tensor? running_var = null, Tensor? weight = null, Tensor? bias = null,
                bool use_input_stats = true, double momentum = 0.1, double eps = 1e-5) =>
                Call("instance_norm", input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, true);

            // Under autocast the input may be bf16 while the weights stay float32; libtorch before 2.0 refuses the mixture.
            private static bool IsNarrower(Tensor input, Tensor? weight) =>
                weight is { dtype: ScalarType.Float32 or ScalarType.Float64 } && input.dtype is (ScalarType.BFloat16 or ScalarType.Float16);
        }
    }
}
