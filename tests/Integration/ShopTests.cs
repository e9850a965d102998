using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Recsys.Samples.Shop;
using Recsys.V1;

namespace Recsys.Integration.Tests;

/// <summary>The samples: two small shops on the clients, beside the real server and beside none.</summary>
[Collection(WorldCollection.Name)]
public sealed class ShopTests(World world)
{
    /// <summary>Milliseconds: a first call to a busy server must not be taken for none.</summary>
    private const string Patience = "60000";

    private const string Nowhere = "127.0.0.1:1"; // nothing listens there

    [Fact]
    public async Task The_shop_in_CSharp_shows_what_is_in_stock_and_its_bestsellers_where_nobody_answers()
    {
        await using var shop = ShopOn(world.Address);
        await shop.StartAsync();
        await SellsAsync(AddressOf(shop));
        await using var alone = ShopOn($"http://{Nowhere}");
        await alone.StartAsync();
        await FallsBackAsync(AddressOf(alone));
    }

    [JavaScriptFact]
    public async Task The_shop_in_JavaScript_does_the_same()
    {
        string modules = (await ForeignClient.OutputAsync(ForeignClient.Script("js", "ensure.sh"), [])).Trim().Split('\n')[^1];
        string folder = Path.Combine(world.Folder, "shop-js");
        Directory.CreateDirectory(folder);
        foreach (string file in Directory.GetFiles(Path.Combine(RepositoryRoot.Path, "samples", "shop-js")))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        }

        File.CreateSymbolicLink(Path.Combine(folder, "node_modules"), Path.Combine(modules, "node_modules"));
        var uses = new (string, Func<string, Task>)[] { (new Uri(world.Address).Authority, SellsAsync), (Nowhere, FallsBackAsync) };
        foreach (var (address, used) in uses)
        {
            var start = new ProcessStartInfo(
                "node",
                [Path.Combine(folder, "shop.mjs"), address, Path.Combine(RepositoryRoot.Path, "Protos"), "0", .. world.ItemIds[..6]])
            {
                RedirectStandardOutput = true, Environment = { ["PATIENCE"] = Patience },
            };
            using var process = Process.Start(start)!;
            try
            {
                await used((await process.StandardOutput.ReadLineAsync())!);
            }
            finally
            {
                process.Kill();
            }
        }
    }

    /// <summary>Without a log: it would go to this process's standard output, which other tests read.</summary>
    private Microsoft.AspNetCore.Builder.WebApplication ShopOn(string recsys) => Shop.Build(
        "--recsys", recsys, "--patience", Patience, "--bestsellers", string.Join(',', world.ItemIds[..6]), "--urls", "http://127.0.0.1:0",
        "--Logging:LogLevel:Default", "None");

    private async Task SellsAsync(string shop)
    {
        using var http = new HttpClient { BaseAddress = new Uri(shop) };
        string query = $"/next?seen={Uri.EscapeDataString(world.ItemIds[9])}&seen={Uri.EscapeDataString(world.ItemIds[10])}";
        var first = await NextAsync(http, query);
        Assert.Equal(4, first.Items.Length);
        Assert.Empty(first.Items.Intersect(world.ItemIds[9..11]));
        Assert.StartsWith("v2", first.Source, StringComparison.Ordinal);

        string gone = first.Items[0];
        (await http.PutAsync($"/stock/{Uri.EscapeDataString(gone)}/0", null)).EnsureSuccessStatusCode();
        (await http.PostAsync($"/seen/{Guid.NewGuid():N}/{Uri.EscapeDataString(gone)}", null)).EnsureSuccessStatusCode();
        var second = await NextAsync(http, query);
        Assert.Equal(first.Items[1..], second.Items[..3]);
        Assert.DoesNotContain(gone, second.Items);

        // Other backends see it by a condition.
        var items = new Items.ItemsClient(world.Channel);
        while (!(await items.GetAsync(new GetItemsRequest { ItemIds = { gone } })).Items.Single().Attributes.ContainsKey("stock"))
        {
            await Task.Delay(10);
        }

        (await http.PutAsync($"/stock/{Uri.EscapeDataString(gone)}/3", null)).EnsureSuccessStatusCode();
        Assert.Equal(first.Items, (await NextAsync(http, query)).Items);
    }

    private async Task FallsBackAsync(string shop)
    {
        using var http = new HttpClient { BaseAddress = new Uri(shop) };
        using var told = await http.PutAsync($"/stock/{Uri.EscapeDataString(world.ItemIds[1])}/0", null);
        Assert.False(told.IsSuccessStatusCode); // the shop knows it, the server could not be told
        var next = await NextAsync(http, $"/next?seen={Uri.EscapeDataString(world.ItemIds[0])}");
        Assert.Equal("bestsellers", next.Source);
        Assert.Equal(world.ItemIds[2..6], next.Items);
    }

    private static async Task<(string[] Items, string Source)> NextAsync(HttpClient http, string query)
    {
        var answer = await http.GetFromJsonAsync<JsonElement>(query);
        string[] items = [.. answer.GetProperty("items").EnumerateArray().Select(item => item.GetString()!)];
        return (items, answer.GetProperty("source").GetString()!);
    }

    private static string AddressOf(Microsoft.AspNetCore.Builder.WebApplication shop) =>
        shop.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
}
