using System.Text.Json;

namespace Recsys.Integration.Tests;

/// <summary>A client that is not ours: the official JavaScript one calls the real server.</summary>
[Collection(WorldCollection.Name)]
public sealed class JavaScriptClientTests(World world)
{
    [JavaScriptFact]
    public async Task The_official_JavaScript_client_gets_recommendations_and_pictures()
    {
        var seen = await CallAsync();
        var recommend = seen.GetProperty("recommend");
        Assert.Equal(7, recommend.GetProperty("items").GetArrayLength());
        Assert.NotEqual("", recommend.GetProperty("version").GetString());
        var scores = recommend.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("score").GetDouble()).ToList();
        Assert.Equal(scores.OrderDescending(), scores);
        Assert.All(scores, score => Assert.True(double.IsFinite(score))); // counted evidence may lift a sum above 0
        // Whatever other tests have assigned to this server, each is an item of it.
        string[] ids = [.. recommend.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("item_id").GetString()!)];
        var known = await new V1.Quantizer.QuantizerClient(world.Channel).LookupAsync(new V1.LookupRequest { ItemIds = { ids } });
        Assert.All(known.Items, item => Assert.NotNull(item.SemanticId));

        var unknown = seen.GetProperty("unknown");
        Assert.Equal(["no-such-item"], unknown.GetProperty("unknown_item_ids").EnumerateArray().Select(id => id.GetString()!));
        Assert.Equal(2, unknown.GetProperty("fallback").GetInt32());
        Assert.Equal(3, seen.GetProperty("refused").GetProperty("code").GetInt32());
        Assert.Contains("9000 characters", seen.GetProperty("refused").GetProperty("details").GetString(), StringComparison.Ordinal);

        var item = seen.GetProperty("item");
        Assert.Equal(0, item.GetProperty("code").GetInt32());
        Assert.True(item.GetProperty("progress").GetInt32() > 0);
        Assert.Equal(2, item.GetProperty("images").GetArrayLength());
        Assert.All(item.GetProperty("images").EnumerateArray(), image => Assert.Equal(
            [0x89, 0x50, 0x4E, 0x47], image.GetProperty("png").GetBytesFromBase64()[..4]));

        // Seed 12 alone and as the second of two: the same picture.
        Assert.Equal(
            item.GetProperty("images")[1].GetProperty("png").GetString(),
            seen.GetProperty("again").GetProperty("images")[0].GetProperty("png").GetString());
        Assert.Equal(3, seen.GetProperty("liked").GetProperty("images").GetArrayLength());
        var liked = seen.GetProperty("liked").GetProperty("images").EnumerateArray();
        Assert.Equal(3, liked.Select(image => image.GetProperty("item_id").GetString()).Distinct().Count());
        Assert.Equal(1, seen.GetProperty("prefix").GetProperty("images").GetArrayLength());
    }

    private async Task<JsonElement> CallAsync()
    {
        // Installs the client, at the locked versions, once; the last line is where.
        string modules = (await ForeignClient.OutputAsync(ForeignClient.Script("js", "ensure.sh"), [])).Trim().Split('\n')[^1];
        return await ForeignClient.RunAsync(
            "node", [ForeignClient.Script("js", "client.mjs"), world.Address, Path.Combine(RepositoryRoot.Path, "Protos"),
            modules, .. world.ItemIds.Take(3)]);
    }
}
