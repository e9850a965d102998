using Recsys.Quantizer.Models;

namespace Recsys.Quantizer.Training;

/// <summary>
/// Fits residual codebooks to the beam that they will be encoded with: codes by beam search and codebooks in turns, each level's codes
/// moving to the mean of what all other levels leave of their vectors. Codebooks of k-means expect the nearest code at each level and gain
/// little from a beam (as additive quantizers are trained: Babenko and Lempitsky 2014, section 3.3).
/// </summary>
internal static class BeamRefinement
{
    private const int Rounds = 12, MaxRows = 65_536;

    /// <param name="x">[n, dim] on the device of <paramref name="codebooks"/>, which have been fitted already.</param>
    public static void Fit(ResidualCodebooks codebooks, Tensor x, int beam, Ranks ranks, CancellationToken cancel)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var sample = BlockPlan.EvenSample(x, MaxRows);
        var mine = ranks.Share(sample);
        for (int round = 0; round < Rounds; round++)
        {
            cancel.ThrowIfCancellationRequested();
            using var roundScope = NewDisposeScope();
            var codes = codebooks.Encode(mine, beam); // [n, levels]
            for (int level = 0; level < codebooks.Sizes.Count; level++)
            {
                var own = codes.select(1, level);
                var input = mine - codebooks.Decode(codes) + codebooks.Vectors(own, level);
                KMeansTrainer.MoveToMeans(codebooks, level, input, own, ranks);
            }
        }

        ranks.Broadcast(codebooks.state_dict().Values);
    }
}
