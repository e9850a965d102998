using Recsys.Catalog;
using Recsys.Quantizer.Encoding;

namespace Recsys.Quantizer.Tests;

public class QuantizerReportTests
{
    [Fact]
    public void Figures_are_those_computed_by_hand()
    {
        var ids = CollisionTokens.Assign([0, 1, 0, 1, 1, 1, 2, 1], 4, 2);
        float[] x = [0, 2, 4, 6], reconstruction = [1, 1, 4, 6];
        var report = QuantizerReport.Of(x, reconstruction, ids, [4, 2]);
        Assert.Equal(2.0 / 20, report.ReconstructionError, 6);
        Assert.Equal([2, 1, 1, 0], report.Levels[0].Counts);
        Assert.Equal((3, 0.75), (report.Levels[0].Used, report.Levels[0].Usage));
        Assert.Equal(Math.Exp(1.5 * Math.Log(2)), report.Levels[0].Perplexity, 6);
        Assert.Equal(1, report.Levels[1].Perplexity, 6);
        Assert.Equal((4, 3, 1, 2), (report.Items, report.DistinctCodes, report.Collisions, report.LargestGroup));
    }

    [Fact]
    public void An_empty_catalogue_has_a_report() =>
        Assert.Equal(0, QuantizerReport.Of([], [], Array.Empty<SemanticId>(), [2]).LargestGroup);
}
