using Recsys.Catalog;
using Recsys.Quantizer.Audit;

namespace Recsys.Quantizer.Tests;

public class QuantizerComparisonTests
{
    private static readonly QuantizerOptions Options = new()
    {
        Levels = 2, CodebookSize = 16,
        RqVae = new RqVaeOptions { Hidden = [24], LatentDim = 8, Epochs = 10, WarmUpEpochs = 3, BatchSize = 64 },
    };

    [Fact]
    public void Every_kind_is_measured_alike_and_learned_codes_keep_neighbours_that_random_ones_lose()
    {
        var fused = Blobs.Fused(400, 8, 20, 1, noise: 0.5);
        var asked = new List<string>();
        double Retrieval(SemanticId[] ids, IReadOnlyList<int> sizes)
        {
            asked.Add($"{ids.Length} of {string.Join('/', sizes)}");
            return 0.25;
        }

        var candidates = QuantizerCandidate.All(Options);
        Assert.Equal(Enum.GetValues<QuantizerKind>(), candidates.Select(candidate => candidate.Options.Kind).Distinct().Order());
        var rows = QuantizerComparison.Run(fused, candidates, 1, TimeProvider.System, Retrieval);
        Assert.Equal(candidates.Select(candidate => candidate.Name), rows.Select(row => row.Name));
        Assert.All(rows, row => Assert.True(row.Failure is null, row.Failure));
        Assert.All(rows, row => Assert.Equal((400, 0.25), (row.Report!.Items, row.RetrievalRecall)));
        Assert.Equal(rows.Count, asked.Count);
        double Recall(string name) => rows.Single(row => row.Name == name).NeighbourRecall!.Value;
        Assert.InRange(Recall("random"), 0, 0.06);
        Assert.All(["residual-kmeans", "rqvae", "vqvae", "pq", "opq"], name => Assert.True(Recall(name) > 3 * Recall("random"), name));
        double Error(string name) => rows.Single(row => row.Name == name).Report!.ReconstructionError;
        Assert.True(Error("residual-kmeans, beam 10") < Error("residual-kmeans"));
        Assert.Equal(["residual-kmeans, beam 10"], rows.Where(row => row.GreedyError is not null).Select(row => row.Name));
        Assert.True(Error("residual-kmeans, beam 10") < rows.Single(row => row.GreedyError is not null).GreedyError);
    }

    [Fact]
    public void A_way_that_collapses_has_its_failure_in_its_row_and_the_others_go_on()
    {
        var fused = Blobs.Fused(300, 8, 5, 1, noise: 0.02);
        var plain = Options with { Kind = QuantizerKind.ResidualKMeans, BalanceStrength = 0 };
        QuantizerCandidate[] candidates =
        [
            new("strict", plain with { MinPerplexity = 1 }), new("odd", plain with { Kind = QuantizerKind.Hyperplanes, CodebookSize = 12 }),
            new("plain", plain),
        ];
        var rows = QuantizerComparison.Run(fused, candidates, 1, TimeProvider.System);
        Assert.Contains("collapsed", rows[0].Failure, StringComparison.Ordinal);
        Assert.Contains("powers of two", rows[1].Failure, StringComparison.Ordinal);
        Assert.Null(rows[0].Report);
        Assert.NotNull(rows[2].Report);
        Assert.Throws<CatalogException>(() => QuantizerComparison.Run(fused, [], 1, TimeProvider.System));
    }

    [Theory]
    [InlineData(new double[] { 1, 1, 1, 1 }, 0)]
    [InlineData(new double[] { 0, 0, 0, 8 }, 0.75)]
    [InlineData(new double[] { 3, 1 }, 0.25)]
    [InlineData(new double[] { 0, 0 }, 0)]
    public void Gini_is_the_mean_difference_over_twice_the_mean(double[] shares, double expected)
    {
        double differences = shares.Sum(a => shares.Sum(b => Math.Abs(a - b))), mean = shares.Average();
        Assert.Equal(expected, Encoding.LevelReport.GiniOf(shares), 9);
        Assert.Equal(expected, mean == 0 ? 0 : differences / (2 * shares.Length * shares.Length * mean), 9);
    }
}
