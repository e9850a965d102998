using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>y = x·Wᵀ + b; weight [outputSize, inputSize].</summary>
            public static Linear Linear(long inputSize, long outputSize, bool hasBias = true, Device? device = null, ScalarType? dtype = null) =>
                new(inputSize, outputSize, hasBias, device, dtype);

            public static Identity Identity() => new();
        }
    }
}

namespace Recsys.Torch.Modules
{
    public sealed class Linear : AffineModule
    {
        internal Linear(long inputSize, long outputSize, bool hasBias, Device? device, ScalarType? dtype)
            : base(nameof(Linear))
        {
            in_features = inputSize;
            out_features = outputSize;
            weight = Empty([outputSize, inputSize], device, dtype);
            bias = hasBias ? Empty([outputSize], device, dtype) : null;
            ResetUniform();
        }

        public long in_features { get; }

        public long out_features { get; }

        /// <param name="input">[…, in_features]</param>
        /// <returns>[…, out_features]</returns>
        public override Tensor forward(Tensor input) => Dispatcher.Call("linear", input, weight, bias);
    }

    /// <summary>Its input, as another handle to the same values.</summary>
    public sealed class Identity : nn.Module<Tensor, Tensor>
    {
        internal Identity()
            : base(nameof(Identity))
        {
        }

        public override Tensor forward(Tensor input) => Dispatcher.Call("alias", input);
    }
}
