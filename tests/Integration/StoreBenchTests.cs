using System.Text.Json;

namespace Recsys.Integration.Tests;

public sealed class StoreBenchTests
{
    [Fact]
    public async Task A_catalogue_is_published_to_a_Redis_of_its_own_and_weighed()
    {
        var (code, output, error) = await Cli.HereAsync("bench", "store", "--items", "2000", "--rounds", "2", "--json");
        Assert.True(code == 0, error);
        using var json = JsonDocument.Parse(output);
        var cases = json.RootElement.GetProperty("cases").EnumerateArray().ToList();
        Assert.Equal(["s", "bytes"], cases.Select(measured => measured.GetProperty("unit").GetString()));
        Assert.InRange(cases[0].GetProperty("ours").GetDouble(), 1e-3, 1e3);
        Assert.InRange(cases[1].GetProperty("ours").GetDouble(), 30, 2000); // an id of nine characters and three codes, both ways
    }

    [Theory]
    [InlineData("999", "1")]
    [InlineData("1000", "0")]
    public async Task Numbers_out_of_range_are_refused(string items, string rounds)
    {
        var (code, _, error) = await Cli.HereAsync("bench", "store", "--items", items, "--rounds", rounds);
        Assert.Equal(3, code);
        Assert.Contains("allowed are 1000 to 10000000 items and 1 to 100 rounds", error, StringComparison.Ordinal);
    }
}
