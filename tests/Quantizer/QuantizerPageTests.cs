using System.Text.Json;
using System.Text.RegularExpressions;
using Recsys.Catalog;

namespace Recsys.Quantizer.Tests;

/// <summary>The page about quantizers, kept true.</summary>
public sealed partial class QuantizerPageTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(Recsys.Tests.RepositoryRoot.Path, "docs", "quantizers.md"));

    [Fact]
    public void Its_table_has_every_kind_and_no_other()
    {
        var told = Kind().Matches(Page).Select(match => match.Groups[1].Value);
        Assert.Equal(Enum.GetValues<QuantizerKind>().Select(kind => kind.Name()), told);
    }

    [Theory]
    [InlineData("""{ "kind": "opq", "codebook_sizes": [256, 128, 64], "opq": { "iterations": 5 } }""")]
    [InlineData("""{ "kind": "fsq", "fsq": { "values": [[8, 6, 5]] }, "min_perplexity": 0.1 }""")]
    [InlineData("""{ "kind": "lfq", "lfq": { "entropy_weight": 0.2, "temperature": 2 } }""")]
    [InlineData(
        """{ "kind": "rqvae", "beam": 5, "rq_vae": { "gradient_estimator": "gumbel", "gumbel_temperature": 1 } }""")]
    [InlineData("""{ "kind": "vqvae", "rq_vae": { "gradient_estimator": "rotation", "codebook_update": "ema" } }""")]
    public void Every_key_that_it_names_is_one(string json)
    {
        var options = JsonSerializer.Deserialize<QuantizerOptions>(json, Json.Settings)!;
        options.Validate();
        foreach (Match key in Key().Matches(json))
        {
            Assert.Contains(key.Groups[1].Value, Page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Its_sizes_and_bounds_are_the_programs()
    {
        Assert.Contains($"`levels` (1 to {SemanticId.MaxLevels})", Page, StringComparison.Ordinal);
        Assert.Contains(
            FormattableString.Invariant($"`min_perplexity` (default {new QuantizerOptions().MinPerplexity})"), Page,
            StringComparison.Ordinal);
        var fsq = new QuantizerOptions { Kind = QuantizerKind.FiniteScalar, Fsq = new FsqOptions { Values = [[8, 6, 5]] } };
        Assert.Equal([240, 240, 240], fsq.LevelSizes(10_000));
        Assert.Contains("`fsq.values: [[8, 6, 5]]` makes 240 codes", Page, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^\| `([a-z-]+)`", RegexOptions.Multiline)]
    private static partial Regex Kind();

    [GeneratedRegex("\"([a-z_]+)\":")]
    private static partial Regex Key();
}
