namespace Recsys.Torch;

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>
        /// PyTorch's initialisations: in place, outside autograd, with the same draws as PyTorch for the same seed. Each returns its argument.
        /// </summary>
        public static partial class init
        {
            public enum NonlinearityType
            {
                Linear = 0,
                Conv1D = 1,
                Conv2D = 2,
                Conv3D = 3,
                ConvTranspose1D = 4,
                ConvTranspose2D = 5,
                ConvTranspose3D = 6,
                Sigmoid = 7,
                Tanh = 8,
                ReLU = 9,
                LeakyReLU = 10,
            }

            public enum FanInOut
            {
                FanIn = 0,
                FanOut = 1,
            }

            /// <summary>Factor that keeps the variance through the nonlinearity; <paramref name="param"/> is leaky ReLU's slope.</summary>
            public static double calculate_gain(NonlinearityType nonlinearity, double param = 0.0) => nonlinearity switch
            {
                NonlinearityType.Tanh => 5.0 / 3.0,
                NonlinearityType.ReLU => Math.Sqrt(2),
                NonlinearityType.LeakyReLU => Math.Sqrt(2 / (1 + param * param)),
                _ => 1,
            };

            public static Tensor zeros_(Tensor tensor) => Fill(tensor, 0);

            public static Tensor ones_(Tensor tensor) => Fill(tensor, 1);

            public static Tensor constant_(Tensor tensor, Scalar val) => InPlace(tensor, t => Dispatcher.Run("fill_.Scalar", t, val));

            public static Tensor uniform_(Tensor tensor, double low = 0, double high = 1, Generator? generator = null) =>
                InPlace(tensor, t => Dispatcher.Run("uniform_", t, low, high, generator));

            public static Tensor normal_(Tensor tensor, double mean = 0, double std = 1, Generator? generator = null) =>
                InPlace(tensor, t => Dispatcher.Run("normal_", t, mean, std, generator));

            /// <summary>A normal distribution cut off at [<paramref name="a"/>, <paramref name="b"/>], drawn by the inverse of its cumulative function.</summary>
            public static Tensor trunc_normal_(
                Tensor tensor, double mean = 0.0, double std = 1.0, double a = -2.0, double b = 2.0, Generator? generator = null) =>
                InPlace(tensor, t =>
                {
                    double low = NormalDistribution((a - mean) / std);
                    double high = NormalDistribution((b - mean) / std);
                    Dispatcher.Run("uniform_", t, 2 * low - 1, 2 * high - 1, generator);
                    Dispatcher.Run("erfinv_", t);
                    Dispatcher.Run("mul_.Scalar", t, std * Math.Sqrt(2));
                    Dispatcher.Run("add_.Scalar", t, mean);
                    Dispatcher.Run("clamp_", t, a, b);
                });

            /// <summary>Uniform in ±gain·√(6 / (fan in + fan out)) (Glorot and Bengio 2010).</summary>
            public static Tensor xavier_uniform_(Tensor tensor, double gain = 1.0, Generator? generator = null)
            {
                (long fanIn, long fanOut) = CalculateFanInAndFanOut(tensor);
                double bound = Math.Sqrt(3) * gain * Math.Sqrt(2.0 / (fanIn + fanOut));
                return uniform_(tensor, -bound, bound, generator);
            }

            /// <summary>Normal with deviation gain·√(2 / (fan in + fan out)) (Glorot and Bengio 2010).</summary>
            public static Tensor xavier_normal_(Tensor tensor, double gain = 1.0, Generator? generator = null)
            {
                (long fanIn, long fanOut) = CalculateFanInAndFanOut(tensor);
                return normal_(tensor, 0, gain * Math.Sqrt(2.0 / (fanIn + fanOut)), generator);
            }

            /// <summary>Uniform in ±gain·√(3 / fan) (He et al. 2015).</summary>
            public static Tensor kaiming_uniform_(
                Tensor tensor, double a = 0, FanInOut mode = FanInOut.FanIn, NonlinearityType nonlinearity = NonlinearityType.LeakyReLU, Generator? generator = null)
            {
                double bound = Math.Sqrt(3) * KaimingDeviation(tensor, a, mode, nonlinearity);
                return uniform_(tensor, -bound, bound, generator);
            }

            /// <summary>Normal with deviation gain/√fan (He et al. 2015).</summary>
            public static Tensor kaiming_normal_(
                Tensor tensor, double a = 0, FanInOut mode = FanInOut.FanIn, NonlinearityType nonlinearity = NonlinearityType.LeakyReLU, Generator? generator = null) =>
                normal_(tensor, 0, KaimingDeviation(tensor, a, mode, nonlinearity), generator);

            /// <summary>A (semi-)orthogonal matrix of the first dimension against all others (Saxe et al. 2013), times <paramref name="gain"/>.</summary>
            public static Tensor orthogonal_(Tensor tensor, double gain = 1.0, Generator? generator = null)
            {
                if (tensor.shape.Length < 2)
                {
                    throw new ArgumentException($"orthogonal_ needs at least 2 dimensions, got shape [{string.Join(", ", tensor.shape)}]");
                }

                return InPlace(tensor, t =>
                {
                    long rows = t.shape[0];
                    long cols = t.shape[1..].Aggregate(1L, (product, size) => product * size);
                    using Tensor drawn = empty([rows, cols], t.dtype, t.device);
                    Dispatcher.Run("normal_", drawn, 0.0, 1.0, generator);
                    using Tensor tall = rows < cols ? Dispatcher.Call("t", drawn) : Dispatcher.Call("alias", drawn); // [large, small]
                    (Tensor q, Tensor r) = Dispatcher.Call2("linalg_qr", tall);
                    using Tensor diagonal = Dispatcher.Call("diag", r);
                    using Tensor signs = Dispatcher.Call("sign", diagonal);
                    Dispatcher.Run("mul_.Tensor", q, signs);
                    using Tensor oriented = rows < cols ? Dispatcher.Call("t", q) : Dispatcher.Call("alias", q);
                    using Tensor shaped = Dispatcher.Call("reshape", oriented, t.shape);
                    Dispatcher.Run("copy_", t, shaped);
                    Dispatcher.Run("mul_.Scalar", t, gain);
                    q.Dispose();
                    r.Dispose();
                });
            }

            /// <summary>Inputs and outputs of one unit: dimensions 1 and 0, times the receptive field of a convolution.</summary>
            public static (long fanIn, long fanOut) CalculateFanInAndFanOut(Tensor tensor)
            {
                long[] shape = tensor.shape;
                if (shape.Length < 2)
                {
                    throw new ArgumentException($"fan in and fan out need at least 2 dimensions, got shape [{string.Join(", ", shape)}]");
                }

                long field = shape[2..].Aggregate(1L, (product, size) => product * size);
                return (shape[1] * field, shape[0] * field);
            }

            private static double KaimingDeviation(Tensor tensor, double a, FanInOut mode, NonlinearityType nonlinearity)
            {
                (long fanIn, long fanOut) = CalculateFanInAndFanOut(tensor);
                return calculate_gain(nonlinearity, a) / Math.Sqrt(mode == FanInOut.FanIn ? fanIn : fanOut);
            }

            // Abramowitz and Stegun leave too few digits here; PyTorch uses the exact error function, so do we.
            private static double NormalDistribution(double x)
            {
                using Tensor value = tensor(x / Math.Sqrt(2), ScalarType.Float64);
                using Tensor erf = Dispatcher.Call("erf", value);
                return (1 + erf.ToDouble()) / 2;
            }

            private static Tensor Fill(Tensor tensor, double value) => InPlace(tensor, t => Dispatcher.Run("fill_.Scalar", t, value));

            private static Tensor InPlace(Tensor tensor, Action<Tensor> body)
            {
                using (no_grad())
                {
                    body(tensor);
                }

                return tensor;
            }
        }
    }
}
