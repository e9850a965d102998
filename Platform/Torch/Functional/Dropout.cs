using Recsys.Torch.Native;
using static Recsys.Torch.Dispatcher;
using static Recsys.Torch.Native.Exports;

namespace Recsys.Torch;

public static partial class torch
{
    public static partial class nn
    {
        public static unsafe partial class functional
        {
            /// <summary>
            /// Drops each element with probability p and scales the rest by 1 / (1 − p). On a CPU the mask is drawn by all cores from
            /// one number of the default generator's stream, and does not depend on how many they are.
            /// </summary>
            public static Tensor dropout(Tensor input, double p = 0.5, bool training = true, bool inplace = false)
            {
                if (!training || p == 0)
                {
                    return inplace ? input : input.SecondHandle();
                }

                if (inplace)
                {
                    return Same(input, "dropout_", p, true);
                }

                return p < 1 && input.is_cpu() && input.is_floating_point() ? FastDropout(input, p) : Call("dropout", input, p, true);
            }

            /// <summary>Drops whole channels. [batch, channels, ...].</summary>
            public static Tensor dropout2d(Tensor input, double p = 0.5, bool training = true, bool inplace = false) =>
                inplace ? Same(input, "feature_dropout_", p, training) : Call("feature_dropout", input, p, training);

            private static Tensor FastDropout(Tensor input, double p)
            {
                var handle = input.Hold();
                try
                {
                    Out result;
                    var status = rs_fast_dropout(handle, p, 0, &result);
                    return status == Status.Ok ? Tensor.Own(result) : throw Check.Failure(status, "dropout", input.Signature);
                }
                finally
                {
                    input.Release();
                }
            }
        }
    }
}
