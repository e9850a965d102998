using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests;

/// <summary>Both ways, and the one that was chosen here, against the sum of the definition in float64.</summary>
public sealed class ConvolutionTests
{
    private static readonly (int Kernel, int Stride, int Side)[] Layers =
        [(1, 1, 7), (1, 2, 7), (3, 1, 7), (3, 2, 7), (1, 1, 16), (1, 2, 16), (3, 1, 16), (3, 2, 16)];

    private static readonly int[] Channels = [3, 8, 32, 33, 64];

    [Theory]
    [InlineData(3)]
    [InlineData(8)]
    [InlineData(32)]
    [InlineData(33)]
    [InlineData(64)]
    public void Values_and_gradients_are_those_of_the_definition(int inputs)
    {
        foreach (var (outputs, (kernel, stride, side)) in Channels.SelectMany(outputs => Layers.Select(layer => (outputs, layer))))
        {
            using var scope = NewDisposeScope();
            Tensor Draw(ulong seed, params long[] shape) => Random(seed, shape).to(ScalarType.Float32);
            var (x, weight, bias) = (Draw(1, 2, inputs, side, side), Draw(2, outputs, inputs, kernel, kernel), Draw(3, outputs));
            using var layer = nn.Conv2d(inputs, outputs, kernel, stride: stride, padding: kernel / 2);
            var first = Convolutions.ByProducts(x, weight, bias, stride, kernel / 2);
            var incoming = Draw(4, first.shape);
            var expected = Definition(x, weight, bias, incoming, stride, kernel / 2);
            void Check(ScalarType type, double share, Func<Tensor, Tensor, Tensor, Tensor> convolution)
            {
                Tensor[] of = [.. new[] { x, weight, bias }.Select(tensor => tensor.to(type).detach().requires_grad_())];
                var y = convolution(of[0], of[1], of[2]);
                y.backward([incoming.to(type)]);
                foreach (var (one, other) in expected.Zip([y, .. of.Select(tensor => tensor.grad!)]))
                {
                    Close(one, other.Doubles(), share);
                }
            }

            // In float64 libtorch's own loops do the work: this is about the blocks. In float32 oneDNN does, where the check trusts it.
            Check(ScalarType.Float64, 1e-12, (x, weight, bias) => Convolutions.OnBlocks(x, weight, bias, stride, kernel / 2));
            Check(ScalarType.Float64, 1e-12, (x, weight, bias) => Convolutions.ByProducts(x, weight, bias, stride, kernel / 2));
            Check(ScalarType.Float32, 1e-5, (x, weight, bias) => Convolutions.ByProducts(x, weight, bias, stride, kernel / 2));
            Check(ScalarType.Float32, 1e-5, (x, weight, bias) => Convolutions.Apply(layer, x, weight, bias));
        }
    }

    [Fact]
    public void A_layer_without_bias_is_taken_both_ways()
    {
        using var scope = NewDisposeScope();
        var (x, weight) = (Random(1, 2, 5, 9, 9), Random(2, 7, 5, 3, 3));
        var shifted = Convolutions.ByProducts(x, weight, zeros(7, dtype: ScalarType.Float64), 1, 1);
        Close(shifted, Convolutions.ByProducts(x, weight, null, 1, 1), 1e-12);
        Close(shifted, Convolutions.OnBlocks(x, weight, null, 1, 1), 1e-12);
    }

    // y, ∂x, ∂weight and ∂bias by the definition.
    private static double[][] Definition(Tensor input, Tensor filter, Tensor bias, Tensor incoming, int stride, int padding)
    {
        var (x, w, b, dy) = (input.Doubles(), filter.Doubles(), bias.Doubles(), incoming.Doubles());
        int inputs = (int)input.size(1), side = (int)input.size(2);
        int outputs = b.Length, kernel = (int)filter.size(2), places = (int)incoming.size(2);
        var (y, dx, dw, db) = (new double[dy.Length], new double[x.Length], new double[w.Length], new double[b.Length]);
        for (int at = 0; at < y.Length; at++)
        {
            int column = at % places, row = at / places % places;
            int o = at / (places * places) % outputs, batch = at / (places * places * outputs);
            y[at] = b[o];
            db[o] += dy[at];
            for (int tap = 0; tap < inputs * kernel * kernel; tap++)
            {
                int i = tap / (kernel * kernel);
                int r = (row * stride) + (tap / kernel % kernel) - padding, c = (column * stride) + (tap % kernel) - padding;
                if (r >= 0 && r < side && c >= 0 && c < side)
                {
                    int from = (((((batch * inputs) + i) * side) + r) * side) + c, by = (o * inputs * kernel * kernel) + tap;
                    y[at] += x[from] * w[by];
                    dx[from] += dy[at] * w[by];
                    dw[by] += dy[at] * x[from];
                }
            }
        }

        return [y, dx, dw, db];
    }
}
