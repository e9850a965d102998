using Recsys.Quantizer.Models;

namespace Recsys.Quantizer.Training;

/// <summary>
/// Fits residual codebooks to the beam that they will be encoded with, all levels together: codes by beam search and codebooks in turns,
/// each level's codes moving to the mean of what all other levels leave of their vectors (as additive quantizers are trained: Babenko and
/// Lempitsky 2014, section 3.3). Once from what k-means fitted, which expects the nearest code at each level and gains little from a beam;
/// and once from vectors drawn by lot, with noise on the codes that dies away (stochastic relaxation of the decoder: Martinez et al. 2018,
/// "LSQ++", section 3.3). The better of the two stays.
/// </summary>
internal static class BeamRefinement
{
    /// <summary>Rounds in which the codes are disturbed, and those after them in which they settle.</summary>
    private const int NoisyRounds = 150, QuietRounds = 12;

    /// <summary>Over all levels: how long the first codes are beside the vectors that they are of, and their first noise beside the
    /// vectors' spread. Chosen by the error on Beauty's vectors, of a few.</summary>
    private const double FirstLength = 0.75, FirstNoise = 0.7;

    /// <summary>Rounds, at most, in which codes that no row has are put onto rows: one that gets it may leave another unused.</summary>
    private const int RevivingRounds = 16;

    private const int MaxRows = 65_536;

    /// <param name="x">[n, dim] on the device of <paramref name="codebooks"/>, which have been fitted already; their prices stay.</param>
    /// <param name="seed">Of the first codes and the noise.</param>
    public static void Fit(ResidualCodebooks codebooks, Tensor x, int beam, long seed, Ranks ranks, CancellationToken cancel)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var sample = BlockPlan.EvenSample(x, MaxRows);
        var mine = ranks.Share(sample);
        using var generator = new Generator((ulong)seed); // on the CPU, so that all ranks draw alike
        Turns(codebooks, mine, beam, ranks, cancel);
        bool priced = codebooks.Prices.Any(prices => prices.count_nonzero().item<long>() > 0);
        if (!priced) // prices are of the codes that they were fitted to: those stay near where they are
        {
            double Error() => ranks.Sum(
                (mine - codebooks.Decode(Encode(codebooks, mine, beam))).pow(2).sum().ToDouble());
            var (near, error) = (codebooks.Codes.Select(codes => codes.clone()).ToArray(), Error());
            foreach (var codes in codebooks.Codes)
            {
                var rows = randint(sample.shape[0], [codes.shape[0]], generator: generator).to(sample.device);
                codes.copy_(sample.index_select(0, rows) * (FirstLength / codebooks.Sizes.Count));
            }

            var spread = sample.std(0, unbiased: false) * (FirstNoise / codebooks.Sizes.Count); // [dim] of each level's noise
            for (int round = 0; round < NoisyRounds; round++)
            {
                cancel.ThrowIfCancellationRequested();
                Turn(codebooks, mine, beam, ranks);
                Disturb(codebooks, spread * Math.Sqrt(1 - ((round + 1.0) / NoisyRounds)), generator);
            }

            Turns(codebooks, mine, beam, ranks, cancel);
            if (Error() > error) // few vectors in tight groups, say
            {
                foreach (var (codes, before) in codebooks.Codes.Zip(near))
                {
                    codes.copy_(before);
                }
            }
        }

        for (int round = 0, revived = 1; round < RevivingRounds && revived > 0; round++)
        {
            revived = 0;
            EachLevel(codebooks, sample, beam, (level, input, own) => // alike on all ranks
                revived += CodeRevival.Revive(codebooks, level, input, own) ? 1 : 0);
        }

        ranks.Broadcast(codebooks.state_dict().Values);
    }

    private static void Turns(ResidualCodebooks codebooks, Tensor x, int beam, Ranks ranks, CancellationToken cancel)
    {
        for (int round = 0; round < QuietRounds; round++)
        {
            cancel.ThrowIfCancellationRequested();
            Turn(codebooks, x, beam, ranks);
        }
    }

    private static void Turn(ResidualCodebooks codebooks, Tensor x, int beam, Ranks ranks) =>
        EachLevel(codebooks, x, beam, (level, input, own) => KMeansTrainer.MoveToMeans(codebooks, level, input, own, ranks));

    /// <param name="move">Changes a level's codes by what the other levels leave to it, [n, dim], and the codes that it has, [n].</param>
    private static void EachLevel(ResidualCodebooks codebooks, Tensor x, int beam, Action<int, Tensor, Tensor> move)
    {
        using var scope = NewDisposeScope();
        var codes = Encode(codebooks, x, beam);
        for (int level = 0; level < codebooks.Sizes.Count; level++)
        {
            var own = codes.select(1, level);
            move(level, x - codebooks.Decode(codes) + codebooks.Vectors(own, level), own);
        }
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
