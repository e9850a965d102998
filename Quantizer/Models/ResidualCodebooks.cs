using System.Runtime.InteropServices;
using Recsys.Quantizer.Encoding;
using Recsys.Torch.Kernels;

namespace Recsys.Quantizer.Models;

/// <summary>
/// Residual codebooks: each level quantises what the levels before it left over, r₀ = z, r_{d+1} = r_d − e_{c_d}
/// (Zeghidour et al. 2021, algorithm 1); with a beam, the best of several tuples (Babenko and Lempitsky 2014, section 3.2).
/// </summary>
/// <param name="sizes">[levels] codes at each level.</param>
/// <param name="dim">Values of a code.</param>
/// <param name="trainable">Whether the codes receive gradients.</param>
public sealed class ResidualCodebooks(IReadOnlyList<int> sizes, int dim, bool trainable = false)
    : VectorCodebooks(nameof(ResidualCodebooks), sizes, dim, [.. sizes.Select(_ => dim)], trainable)
{
    private const long BlockEntries = 1L << 24; // costs at hand at once: 64 MiB
    private const int Grain = 64; // rows of a block: matrix products round otherwise for odd sizes

    public override Tensor Input(Tensor rest, int level) => rest;

    public override Tensor Left(Tensor rest, Tensor vectors) => rest - vectors;

    /// <summary>The sum of the codes' vectors.</summary>
    public override Tensor Joined(IReadOnlyList<Tensor> vectors) => vectors.Aggregate((sum, next) => sum + next);

    /// <summary>What codes leave over, squared, for each value; on the CPU, without an operator for each step.</summary>
    /// <param name="x">[n × dim]</param>
    /// <param name="codes">[n × levels]</param>
    /// <returns>[n]</returns>
    internal double[] Errors(ReadOnlySpan<float> x, ReadOnlySpan<ushort> codes, int n)
    {
        Tensor[] vectors = [.. Codes];
        var errors = new double[n];
        var sum = new float[InputDim];
        for (int row = 0; row < n; row++)
        {
            sum.AsSpan().Clear();
            for (int level = 0; level < vectors.Length; level++)
            {
                var vector = MemoryMarshal.Cast<byte, float>(vectors[level].bytes)
                    .Slice(codes[(row * vectors.Length) + level] * InputDim, InputDim);
                for (int i = 0; i < sum.Length; i++)
                {
                    sum[i] += vector[i];
                }
            }

            errors[row] = SquaredDistance.PerDimension(x.Slice(row * InputDim, InputDim), sum);
        }

        return errors;
    }

    public override ResidualCodes? Settled() =>
        Device.type == DeviceType.CPU ? new ResidualCodes([.. Codes], Prices) : null;

    public override Tensor Encode(Tensor x, int beam = 1)
    {
        if (beam <= 1 || Sizes.Count == 1)
        {
            return base.Encode(x);
        }

        long rows = Math.Max(Grain, BlockEntries / ((long)beam * Sizes.Max()) / Grain * Grain);
        var blocks = new List<Tensor>();
        for (long from = 0; from == 0 || from < x.shape[0]; from += rows)
        {
            using var scope = NewDisposeScope();
            blocks.Add(BestTuples(x.detach().narrow(0, from, Math.Min(rows, x.shape[0] - from)), beam).MoveToOuterDisposeScope());
        }

        return cat(blocks, 0);
    }

    // The cost of a tuple is the squared length of what it leaves over, plus its codes' prices: with a beam of 1 it is the greedy choice.
    private Tensor BestTuples(Tensor x, int beam)
    {
        long n = x.shape[0];
        var rest = x.unsqueeze(1); // [n, kept, dim]
        var paid = zeros(n, 1, device: x.device); // [n, kept] prices
        var tuples = zeros(n, 1, 0, ScalarType.Int64, x.device); // [n, kept, levels so far]
        for (int level = 0; level < Sizes.Count; level++)
        {
            long kept = rest.shape[1], size = Sizes[level];
            var before = (rest.pow(2).sum(2) + paid).unsqueeze(2); // [n, kept, 1]
            var costs = before + Costs(rest.reshape(n * kept, InputDim), level).view(n, kept, size);
            var best = costs.view(n, kept * size).topk((int)Math.Min(beam, kept * size), 1, largest: false, sorted: true).indexes;
            var (parent, code) = (best.div(size, RoundingMode.floor), best.remainder(size)); // [n, next kept]
            var chosen = code.flatten();
            rest = rest.gather(1, parent.unsqueeze(2).expand(-1, -1, InputDim))
                - Vectors(chosen, level).detach().view(n, -1, InputDim);
            paid = paid.gather(1, parent) + Prices[level].index_select(0, chosen).view(n, -1);
            tuples = cat([tuples.gather(1, parent.unsqueeze(2).expand(-1, -1, level)), code.unsqueeze(2)], 2);
        }

        return tuples.select(1, 0); // [n, levels]
    }
}
