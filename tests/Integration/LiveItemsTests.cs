using System.Text;
using System.Text.Json;
using Grpc.Core;
using Grpc.Net.Client;
using Recsys.Cli.Demo;
using Recsys.V1;

namespace Recsys.Integration.Tests;

/// <summary>Items that change while servers run: stock, prices, new items, by every way of calling.</summary>
public sealed class LiveItemsTests(TrainedVersion trained) : IClassFixture<TrainedVersion>
{
    /// <summary>A hang is a failure, not a stuck run: far beyond what any of it takes.</summary>
    private const int Patience = 180_000;

    [Fact(Timeout = Patience)]
    public async Task What_is_out_of_stock_is_answered_by_no_server_nor_after_a_kill_nor_a_lost_Redis()
    {
        string versions = trained.CopyVersions("live-items");
        string[] first;
        await using (var one = await ServeAsync(versions, "live-1.log"))
        await using (var two = await ServeAsync(versions, "live-2.log"))
        {
            using var channel = GrpcChannel.ForAddress(one.Address);
            using var other = GrpcChannel.ForAddress(two.Address);
            var items = new Items.ItemsClient(channel);

            // Every item is in stock: a name that no items file has.
            var all = new UpsertItemsRequest { Items = { trained.ItemIds.Select(id => Stock(id, "5")) } };
            using (var call = items.UpsertMany())
            {
                foreach (var some in all.Items.Chunk(500))
                {
                    await call.RequestStream.WriteAsync(new UpsertItemsRequest { Items = { some } });
                }

                await call.RequestStream.CompleteAsync();
                var taken = await call;
                Assert.Equal((trained.ItemIds.Length, trained.ItemIds.Length, 0), (taken.Items, taken.Values, taken.LateValues));
                Assert.Empty(taken.UnknownItemIds);
            }

            await UntilAsync(other, trained.ItemIds[^1], "5");
            await UntilAsync(channel, trained.ItemIds[^1], "5");
            first = await InStockAsync(other);
            Assert.Equal(5, first.Length);

            var sold = await items.UpsertAsync(new UpsertItemsRequest { Items = { first.Select(id => Stock(id, "0")) } });
            Assert.Equal((5, 0), (sold.Values, sold.LateValues));
            await UntilAsync(other, first[^1], "0");
            Assert.Empty((await InStockAsync(other)).Intersect(first));

            await RefusedAsync(items, first[0]);

            // By JSON, with a time before what is known: late.
            using var http = new HttpClient { BaseAddress = new Uri(two.HttpAddress) };
            using var body = new StringContent(
                JsonSerializer.Serialize(new
                {
                    items = new[] { new { itemId = first[0], attributes = new { stock = "9" }, time = "2026-01-01T00:00:00Z" } },
                }), Encoding.UTF8, "application/json");
            using var answer = await http.PostAsync("/v1/items/upsert", body);
            using var told = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
            Assert.Equal("1", told.RootElement.GetProperty("lateValues").GetString());

            await NewItemAsync(channel, other);
            KillTests.Kill(one.Id);
        }

        await using (var again = await ServeAsync(versions, "live-3.log"))
        {
            using var channel = GrpcChannel.ForAddress(again.Address);
            Assert.Empty((await InStockAsync(channel)).Intersect(first));
        }

        Directory.Delete(Path.Combine(versions, ".redis"), recursive: true);
        await using (var rebuilt = await ServeAsync(versions, "live-4.log"))
        {
            using var channel = GrpcChannel.ForAddress(rebuilt.Address);
            Assert.Empty((await InStockAsync(channel)).Intersect(first));
            Assert.Equal("3", (await GetAsync(channel, "just-in")).Attributes["stock"]);

            // What is cleared is no attribute of these items any more; others have it.
            await new Items.ItemsClient(channel).UpsertAsync(
                new UpsertItemsRequest { Items = { first.Select(id => new ItemUpsert { ItemId = id, Clear = { "stock" } }) } });
            await UntilAsync(channel, first[0], null);
            Assert.Empty((await InStockAsync(channel)).Intersect(first));
        }
    }

    /// <summary>A stream with a bad message: what came before it counts, and the client hears what is wrong.</summary>
    private static async Task RefusedAsync(Items.ItemsClient items, string id)
    {
        using var call = items.UpsertMany();
        var good = new ItemUpsert { ItemId = id, Attributes = { ["note"] = "x" } };
        await call.RequestStream.WriteAsync(new UpsertItemsRequest { Items = { good } });
        await call.RequestStream.WriteAsync(new UpsertItemsRequest { Items = { new ItemUpsert { ItemId = "" } } });
        var error = await Assert.ThrowsAsync<RpcException>(async () => await call);
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.Equal(
            "items.item_id", error.GetRpcStatus()!.GetDetail<Google.Rpc.BadRequest>()!.FieldViolations.Single().Field);
    }

    private static async Task NewItemAsync(GrpcChannel channel, GrpcChannel other)
    {
        var fresh = Stock("just-in", "3");
        fresh.Embeddings["text"] = BadInputTests.Unit(384);
        fresh.Title = "Just in";
        var taken = await new Items.ItemsClient(channel).UpsertAsync(new UpsertItemsRequest { Items = { fresh } });
        Assert.Equal((1, 1), (taken.Assigned, taken.Values));
        await SwapTests.UntilKnownAsync(new V1.Retrieval.RetrievalClient(other), "just-in");
        await UntilAsync(other, "just-in", "3");
        var answer = await new V1.Retrieval.RetrievalClient(other).RecommendAsync(new RecommendRequest
        {
            History = { "just-in" }, Candidates = new ItemSet { ItemIds = { "just-in" } }, Conditions = { InStock },
        });
        Assert.Equal(("just-in", "Just in"), (answer.Items.Single().ItemId, answer.Items.Single().Title));

        // Its embedding is what the other server ranks it by, too.
        var like = await new V1.Retrieval.RetrievalClient(other).SimilarAsync(
            new SimilarRequest { ItemId = "just-in", By = Likeness.Content, K = 3 });
        Assert.Equal(3, like.Items.Count);
    }

    private static Condition InStock => new() { Attribute = "stock", Number = new NumberRange { Min = 1 } };

    private static ItemUpsert Stock(string id, string stock) => new() { ItemId = id, Attributes = { ["stock"] = stock } };

    private async Task<string[]> InStockAsync(GrpcChannel channel)
    {
        var answer = await new V1.Retrieval.RetrievalClient(channel).RecommendAsync(
            new RecommendRequest { History = { trained.ItemIds[3] }, K = 5, Conditions = { InStock } });
        return [.. answer.Items.Select(item => item.ItemId)];
    }

    private static async Task UntilAsync(GrpcChannel channel, string id, string? stock)
    {
        while ((await GetAsync(channel, id)).Attributes.GetValueOrDefault("stock") != stock)
        {
            await Task.Delay(10);
        }
    }

    private static async Task<ItemInfo> GetAsync(GrpcChannel channel, string id) =>
        (await new Items.ItemsClient(channel).GetAsync(new GetItemsRequest { ItemIds = { id } })).Items.Single();

    private Task<ServerProcess> ServeAsync(string versions, string log) =>
        ServerProcess.StartAsync(versions, Path.Combine(trained.Folder, log), CancellationToken.None);
}
