using Recsys.Quantizer.Models;

namespace Recsys.Quantizer.Training;

/// <summary>
/// Fits residual codebooks to the beam that they will be encoded with: codes by beam search and codebooks in turns, each level's codes
/// moving to the mean of what all other levels leave of their vectors. Codebooks of k-means expect the nearest code at each level and gain
/// next to nothing from a beam (as additive quantizers are trained: Babenko and Lempitsky 2014, section 3.3). The turns alone stay near
/// where k-means left the codes; noise on the codes that dies away leads them on (stochastic relaxation of the decoder: Martinez et al.
/// 2018, "LSQ++", section 3.3).
/// </summary>
internal static class BeamRefinement
{
    /// <summary>Rounds in which the codes are disturbed, and those after them in which they settle.</summary>
    private const int NoisyRounds = 75, QuietRounds = 8;
    private const int MaxRows = 65_536;

    /// <param name="x">[n, dim] on the device of <paramref name="codebooks"/>, which have been fitted already.</param>
    /// <param name="seed">Of the noise.</param>
    public static void Fit(ResidualCodebooks codebooks, Tensor x, int beam, long seed, Ranks ranks, CancellationToken cancel)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var sample = BlockPlan.EvenSample(x, MaxRows);
        var mine = ranks.Share(sample);
        using var generator = new Generator((ulong)seed); // on the CPU, so that all ranks draw alike
        var spread = sample.std(0, unbiased: false) / codebooks.Sizes.Count; // [dim] of each level's noise at first
        for (int round = 0; round < NoisyRounds + QuietRounds; round++)
        {
            cancel.ThrowIfCancellationRequested();
            using var roundScope = NewDisposeScope();
            var codes = Encode(codebooks, mine, beam);
            for (int level = 0; level < codebooks.Sizes.Count; level++)
            {
                var own = codes.select(1, level);
                var input = mine - codebooks.Decode(codes) + codebooks.Vectors(own, level);
                KMeansTrainer.MoveToMeans(codebooks, level, input, own, ranks);
            }

            if (round < NoisyRounds - 1)
            {
                Disturb(codebooks, spread * Math.Sqrt(1 - ((round + 1.0) / NoisyRounds)), generator);
            }
        }

        ranks.Broadcast(codebooks.state_dict().Values);
    }

    private static void Disturb(ResidualCodebooks codebooks, Tensor spread, Generator generator)
    {
        foreach (var codes in codebooks.Codes)
        {
            codes.add_(randn(codes.shape, generator: generator).to(codes.device) * spread);
        }
    }

    // Codes that have been moved: nothing may be kept of those before.
    private static Tensor Encode(ResidualCodebooks codebooks, Tensor x, int beam)
    {
        using var settled = codebooks.Settled();
        return settled is null
            ? codebooks.Encode(x, beam)
            : tensor(Array.ConvertAll(settled.Encode(x, beam), code => (long)code), [x.shape[0], codebooks.Sizes.Count]);
    }
}
