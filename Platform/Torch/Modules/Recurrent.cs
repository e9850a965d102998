using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Gated recurrent units (Cho et al. 2014) over [length, batch, inputSize], or [batch, length, inputSize] with batchFirst.</summary>
            public static GRU GRU(
                long inputSize, long hiddenSize, long numLayers = 1, bool bias = true, bool batchFirst = false, double dropout = 0.0, bool bidirectional = false,
                Device? device = null, ScalarType? dtype = null) =>
                new(new(inputSize, hiddenSize, numLayers, bias, batchFirst, dropout, bidirectional), device, dtype);

            /// <summary>Long short-term memory (Hochreiter and Schmidhuber 1997) over [length, batch, inputSize], or [batch, length, inputSize] with batchFirst.</summary>
            public static LSTM LSTM(
                long inputSize, long hiddenSize, long numLayers = 1, bool bias = true, bool batchFirst = false, double dropout = 0.0, bool bidirectional = false,
                Device? device = null, ScalarType? dtype = null) =>
                new(new(inputSize, hiddenSize, numLayers, bias, batchFirst, dropout, bidirectional), device, dtype);
        }
    }
}

namespace Recsys.Torch.Modules
{
    internal sealed record RecurrentShape(long Input, long Hidden, long Layers, bool Bias, bool BatchFirst, double Dropout, bool Bidirectional)
    {
        public int Directions => Bidirectional ? 2 : 1;
    }

    public sealed class GRU : nn.Module<Tensor, Tensor?, (Tensor, Tensor)>
    {
        private readonly RecurrentShape _shape;

        internal GRU(RecurrentShape shape, Device? device, ScalarType? dtype)
            : base(nameof(GRU))
        {
            _shape = shape;
            Recurrence.Register(this, shape, 3, device, dtype);
        }

        /// <returns>[length, batch, directions · hiddenSize] outputs and [layers · directions, batch, hiddenSize] last states.</returns>
        public override (Tensor, Tensor) forward(Tensor input, Tensor? h0 = null)
        {
            using var zero = h0 is null ? Recurrence.Zero(input, _shape) : null;
            return Dispatcher.Call2(
                "gru.input", input, h0 ?? zero, Value.List(parameters(recurse: false)), _shape.Bias, _shape.Layers, _shape.Dropout, training, _shape.Bidirectional, _shape.BatchFirst);
        }

        public new (Tensor, Tensor) call(Tensor input, Tensor? h0 = null) => forward(input, h0);
    }

    public sealed class LSTM : nn.Module<Tensor, (Tensor, Tensor)?, (Tensor, Tensor, Tensor)>
    {
        private readonly RecurrentShape _shape;

        internal LSTM(RecurrentShape shape, Device? device, ScalarType? dtype)
            : base(nameof(LSTM))
        {
            _shape = shape;
            Recurrence.Register(this, shape, 4, device, dtype);
        }

        /// <returns>Outputs [length, batch, directions · hiddenSize], last states and last cells [layers · directions, batch, hiddenSize].</returns>
        public override (Tensor, Tensor, Tensor) forward(Tensor input, (Tensor, Tensor)? h0_c0 = null)
        {
            using var zero = h0_c0 is null ? Recurrence.Zero(input, _shape) : null;
            Tensor[] state = h0_c0 is var (h, c) ? [h, c] : [zero!, zero!];
            return Dispatcher.Call3(
                "lstm.input", input, state, Value.List(parameters(recurse: false)), _shape.Bias, _shape.Layers, _shape.Dropout, training, _shape.Bidirectional, _shape.BatchFirst);
        }

        public new (Tensor, Tensor, Tensor) call(Tensor input, (Tensor, Tensor)? h0_c0 = null) => forward(input, h0_c0);
    }

    internal static class Recurrence
    {
        /// <summary>Weights in PyTorch's names and order: weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, …_reverse; uniform in ±1/√hidden.</summary>
        internal static void Register(nn.Module owner, RecurrentShape shape, int gates, Device? device, ScalarType? dtype)
        {
            double bound = 1 / Math.Sqrt(shape.Hidden);
            long rows = gates * shape.Hidden;
            for (int i = 0; i < shape.Layers * shape.Directions; i++)
            {
                int layer = i / shape.Directions;
                string end = $"l{layer}{(i % shape.Directions == 1 ? "_reverse" : "")}";
                long width = layer == 0 ? shape.Input : shape.Hidden * shape.Directions;
                (string Name, long[] Shape)[] parts = [("weight_ih_", [rows, width]), ("weight_hh_", [rows, shape.Hidden]), ("bias_ih_", [rows]), ("bias_hh_", [rows])];
                foreach (var (name, size) in parts[..(shape.Bias ? 4 : 2)])
                {
                    var parameter = AffineModule.Empty(size, device, dtype);
                    nn.init.uniform_(parameter, -bound, bound);
                    owner.register_parameter(name + end, parameter);
                }
            }
        }

        // [layers · directions, batch, hidden]; without a batch [layers · directions, hidden].
        internal static Tensor Zero(Tensor input, RecurrentShape shape)
        {
            long layers = shape.Layers * shape.Directions;
            return input.ndim == 2 ? zeros([layers, shape.Hidden], input.dtype, input.device)
                : zeros([layers, input.size(shape.BatchFirst ? 0 : 1), shape.Hidden], input.dtype, input.device);
        }
    }
}
