using Recsys.Torch.Modules;
using Recsys.Torch.Optim;

namespace Recsys.Torch;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class utils
        {
            /// <summary>Scales all gradients together so that their norm is at most <paramref name="max_norm"/> (Pascanu et al. 2013).</summary>
            /// <returns>The norm before; not finite where a gradient is not.</returns>
            public static double clip_grad_norm_(IEnumerable<Parameter> tensors, double max_norm, double norm_type = 2.0) =>
                NativeOptimizer.ClipGradients([.. tensors], max_norm, norm_type);

            /// <summary>Limits every component of every gradient to ±<paramref name="clip_value"/>.</summary>
            public static void clip_grad_value_(IEnumerable<Parameter> tensors, double clip_value)
            {
                using (no_grad())
                {
                    foreach (Parameter parameter in tensors)
                    {
                        using Tensor? gradient = parameter.grad;
                        if (gradient is not null)
                        {
                            Dispatcher.Run("clamp_", gradient, -clip_value, clip_value);
                        }
                    }
                }
            }
        }
    }
}
