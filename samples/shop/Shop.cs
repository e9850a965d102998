using System.Collections.Concurrent;
using Recsys.Client;
using Recsys.V1;

namespace Recsys.Samples.Shop;

/// <summary>
/// A small shop's backend: what a visitor saw is recorded, what is sold out is never shown, and where the recommender does not answer in
/// time the visitor sees the bestsellers.
/// </summary>
public static class Shop
{
    private const int Shown = 4;

    /// <param name="args"><c>--recsys http://localhost:5757 --patience 300 --bestsellers 5,12,33 --urls http://localhost:8080</c>.</param>
    public static WebApplication Build(params string[] args)
    {
        var builder = WebApplication.CreateSlimBuilder(args);
        string[] bestsellers = (builder.Configuration["bestsellers"] ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries);
        builder.Services.AddRecsysClient(
            builder.Configuration["recsys"] ?? "http://localhost:5757",
            options => options.Deadline = TimeSpan.FromMilliseconds(double.Parse(builder.Configuration["patience"] ?? "300")));
        var app = builder.Build();
        var soldOut = new ConcurrentDictionary<string, bool>();

        // What goes well with what a visitor looked at: GET /next?seen=5&seen=12
        app.MapGet("/next", async (string[] seen, RecsysClient recsys, CancellationToken cancel) =>
        {
            var request = new RecommendRequest
            {
                History = { seen }, K = Shown, ExcludeSeen = true, Exclude = { soldOut.Keys },
                ReadMask = new() { Paths = { "items.item_id" } },
            };
            var next = await recsys.RecommendOrElseAsync(request, () => bestsellers, cancel);
            return Results.Ok(new { items = next.Ids, source = next.Answer is null ? "bestsellers" : next.Answer.Version });
        });

        // A visitor looked at an item: POST /seen/u7/5
        app.MapPost("/seen/{user}/{item}", async (string user, string item, RecsysClient recsys, CancellationToken cancel) =>
        {
            await recsys.RecordAsync([new Event { UserId = user, ItemId = item }], cancel);
        });

        // The stock of an item is another: PUT /stock/5/0. Other backends ask for it by a condition on "stock".
        app.MapPut("/stock/{item}/{pieces:int}", async (string item, int pieces, RecsysClient recsys, CancellationToken cancel) =>
        {
            _ = pieces > 0 ? soldOut.TryRemove(item, out _) : soldOut.TryAdd(item, true);
            var stock = new ItemUpsert { ItemId = item, Attributes = { ["stock"] = $"{pieces}" } };
            await recsys.Items.UpsertAsync(new UpsertItemsRequest { Items = { stock } }, cancellationToken: cancel);
        });
        return app;
    }
}
