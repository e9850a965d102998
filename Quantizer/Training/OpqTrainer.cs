using Recsys.Quantizer.Models;

namespace Recsys.Quantizer.Training;

/// <summary>
/// Optimised product quantization (Ge et al. 2013, algorithm 1): from the rotation that spreads the variance evenly over the parts
/// (their section 3.3), codes and rotation take turns, the rotation by <see cref="Procrustes"/>. Each turn lowers ‖XR − Y‖².
/// </summary>
internal static class OpqTrainer
{
    private const int MaxRows = 131_072;

    /// <param name="x">[n, dim] on the device of <paramref name="model"/>.</param>
    public static void Fit(
        RotatedCodebooks model, Tensor x, QuantizerOptions options, long seed, Action<int>? levelDone, Ranks ranks,
        CancellationToken cancel)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var sample = BlockPlan.EvenSample(x, MaxRows);
        model.Rotation.copy_(SpreadVariance(model.Codebooks, sample));
        ranks.Broadcast(model.Rotation);
        if (options.Opq.Iterations > 0)
        {
            KMeansTrainer.Fit(
                model.Codebooks, sample.matmul(model.Rotation), options with { BalanceStrength = 0 }, seed, null, ranks, cancel);
            for (int turn = 0; turn < options.Opq.Iterations; turn++)
            {
                cancel.ThrowIfCancellationRequested();
                Turn(model, sample, ranks);
            }
        }

        KMeansTrainer.Fit(model.Codebooks, x.matmul(model.Rotation), options, seed, levelDone, ranks, cancel);
    }

    private static void Turn(RotatedCodebooks model, Tensor x, Ranks ranks)
    {
        using var scope = NewDisposeScope();
        var rotated = x.matmul(model.Rotation);
        var vectors = new Tensor[model.Sizes.Count];
        for (int level = 0; level < vectors.Length; level++)
        {
            var input = model.Codebooks.Input(rotated, level);
            var codes = model.Codebooks.Nearest(input, level);
            KMeansTrainer.MoveToMeans(model.Codebooks, level, ranks.Share(input), ranks.Share(codes), ranks);
            vectors[level] = model.Codebooks.Vectors(codes, level);
        }

        var y = model.Codebooks.Joined(vectors);
        model.Rotation.copy_(Procrustes.Rotation(x, y));
        ranks.Broadcast(model.Rotation);
    }

    // Principal directions, largest variance first, each to the part whose variances have the smallest product so far and that has room
    // (Ge et al., "eigenvalue allocation").
    private static Tensor SpreadVariance(ProductCodebooks codebooks, Tensor x)
    {
        using var scope = NewDisposeScope();
        var centred = (x - x.mean([0])).to(ScalarType.Float64);
        var (values, vectors) = linalg.eigh(centred.t().matmul(centred) / x.shape[0]); // ascending
        var variances = values.cpu().data<double>().ToArray();
        var parts = codebooks.Widths.Select(_ => new List<long>()).ToArray();
        var logs = new double[parts.Length];
        for (int i = variances.Length - 1; i >= 0; i--)
        {
            int part = Enumerable.Range(0, parts.Length).Where(p => parts[p].Count < codebooks.Widths[p]).MinBy(p => logs[p]);
            parts[part].Add(i);
            logs[part] += Math.Log(Math.Max(variances[i], 1e-12));
        }

        var order = tensor(parts.SelectMany(part => part).ToArray()).to(x.device);
        return vectors.index_select(1, order).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }
}
