using Grpc.Core;
using Grpc.Net.Client;
using Recsys.Catalog;
using Recsys.Cli.Demo.Shoppers;
using Recsys.Cli.Verbs;
using Recsys.Datasets;
using Recsys.Files;
using Recsys.Jobs.NightlyRebuild;
using Recsys.Protos;
using Recsys.Retrieval.Evaluation;
using Recsys.Retrieval;
using Recsys.Server.Serving;
using Recsys.V1;

namespace Recsys.Cli.Demo;

/// <summary>The main job, end to end: the same parts, in the same order, that a nightly rebuild and a server run in production.</summary>
internal static class DemoRun
{
    /// <summary>What the demo is about to do, for the reader who waits.</summary>
    public static string Plan(string folder) =>
        $"""
        recsys: the demo does the whole job once, on 1,594 emoji stickers that come with the program:
          1. it simulates 6,000 shoppers and learns semantic IDs, a recommender and a model that draws (about 3 minutes)
          2. it measures the recommender, starts a server, and asks it for recommendations and drawings (half a minute)
        It downloads nothing more. About 4 minutes on two idle cores; all of it goes to {folder}, ending with report.html.
        """;

    /// <returns>What was seen, and the report's path.</returns>
    public static async Task<(DemoResult Result, string Report)> RunAsync(
        string folder, IProgress<StageProgress> progress, CancellationToken cancel)
    {
        DemoFolder.Prepare(folder);
        var steps = new StageRecorder(progress, TimeProvider.System);
        string data = Path.Combine(folder, "dataset"), root = Path.Combine(folder, "versions");
        var (shopping, optimal) = steps.Time(
            "simulate",
            () => SimulatedDataset.Write(DemoFolder.Stickers(), data, new StickerShopperOptions { Seed = (ulong)DemoOptions.Seed }));
        progress.Report(new StageProgress("simulate", 1, 1, $"{shopping.Sequences.Count} shoppers"));
        using var dataset = Dataset.Open(data);
        var split = new LeaveOneOut(dataset.Sequences);

        await using var stores = await Stores.OpenAsync(root, null, null, cancel);
        var rebuilt = await new RebuildJob(
            stores.Versions, stores.Ids, TimeProvider.System).RunAsync(dataset, DemoOptions.Rebuild, steps, cancel);
        var times = steps.Times.Concat(rebuilt.Report.Stages).ToList();

        var evaluation = steps.Time("evaluate", () => Evaluate(stores, rebuilt.Report.Version, split, progress, cancel));

        long clock = TimeProvider.System.GetTimestamp();
        await using var server = await ServerProcess.StartAsync(root, Path.Combine(folder, "server.log"), cancel);
        times.AddRange(steps.Times.Where(step => step.Stage is "evaluate"));
        times.Add(new StageTime("start server", TimeProvider.System.GetElapsedTime(clock).TotalSeconds));
        using var channel = GrpcChannel.ForAddress(server.Address);

        clock = TimeProvider.System.GetTimestamp();
        var shoppers = await RecommendAsync(channel, dataset, split, cancel);
        times.Add(new StageTime("recommend", TimeProvider.System.GetElapsedTime(clock).TotalSeconds));

        clock = TimeProvider.System.GetTimestamp();
        var drawings = await DrawAsync(channel, stores.Versions.Open(rebuilt.Report.Version).Items, progress, cancel);
        times.Add(new StageTime("draw", TimeProvider.System.GetElapsedTime(clock).TotalSeconds));

        var result = new DemoResult(
            rebuilt.Report, evaluation, optimal, shoppers, drawings, times, dataset.ItemCount, dataset.Sequences.Count);
        string report = Path.Combine(folder, "report.html");
        AtomicFile.WriteText(report, DemoReport.Html(result, dataset));
        return (result, report);
    }

    private static EvaluationReport Evaluate(
        Stores stores, string version, LeaveOneOut split, IProgress<StageProgress> progress, CancellationToken cancel)
    {
        var folder = stores.Versions.Open(version);
        using var recommender = (Recommender)new RecommenderLoader().Load(folder, folder.Items)!;
        return RetrievalEvaluator.Evaluate(
            recommender, split, new EvaluationOptions { SeenRemoved = true, Users = DemoOptions.EvaluatedUsers, Seed = DemoOptions.Seed },
            progress, cancel);
    }

    private static async Task<List<DemoShopper>> RecommendAsync(
        GrpcChannel channel, Dataset dataset, LeaveOneOut split, CancellationToken cancel)
    {
        var retrieval = new V1.Retrieval.RetrievalClient(channel);
        var creative = new Creative.CreativeClient(channel);
        var users = split.EvaluatedUsers.ToArray();
        new Random((int)DemoOptions.Seed).Shuffle(users);
        var shoppers = new List<DemoShopper>();
        foreach (int user in users.Take(DemoOptions.Shoppers))
        {
            var history = split.TestHistory(user).ToArray();
            var request = new RecommendRequest { K = 10, ExcludeSeen = true };
            request.History.AddRange(history.Select(item => dataset.ItemIds[item]));
            var answer = await retrieval.RecommendAsync(request, cancellationToken: cancel);

            var drawing = new GenerateRequest { History = new ItemHistory(), Count = 1, Seed = user };
            drawing.History.ItemIds.AddRange(request.History);
            var pictures = await PicturesAsync(creative, drawing, cancel);
            shoppers.Add(new DemoShopper(
                "shopper " + dataset.Sequences.Users[user], history, split.TestTarget(user),
                [.. answer.Items.Select(
                    item => new DemoAnswer(dataset.ItemIndex[item.ItemId], item.SemanticId.ToSemanticId(), item.Probability))],
                pictures.FirstOrDefault()));
        }

        return shoppers;
    }

    private static async Task<List<DemoDrawing>> DrawAsync(
        GrpcChannel channel, ItemTable items, IProgress<StageProgress> progress, CancellationToken cancel)
    {
        var creative = new Creative.CreativeClient(channel);
        var random = new Random((int)DemoOptions.Seed);
        var drawings = new List<DemoDrawing>();
        var chosen = Enumerable.Range(0, items.Count).OrderBy(_ => random.Next()).Take(DemoOptions.DrawnItems).ToList();
        foreach (int item in chosen)
        {
            var pictures = await PicturesAsync(
                creative, new GenerateRequest { ItemId = items.Ids[item], Count = DemoOptions.PicturesPerItem, Seed = item }, cancel);
            var same = Enumerable.Range(0, items.Count)
                .Where(other => items.SemanticIds[other].SameCodes(items.SemanticIds[item])).OrderBy(other => other == item ? 0 : 1).Take(3)
                .ToList();
            drawings.Add(new DemoDrawing(items.Titles[item], items.SemanticIds[item].ToString(), same, pictures));
            progress.Report(new StageProgress("draw", drawings.Count, DemoOptions.DrawnItems + 1));
        }

        var (id, near) = UnusedId(items, random);
        var request = new GenerateRequest { SemanticId = id.ToMessage(), Count = DemoOptions.PicturesPerItem, Seed = 1 };
        drawings.Add(new DemoDrawing("an ID that no sticker has", id.ToString(), near, await PicturesAsync(creative, request, cancel)));
        progress.Report(new StageProgress("draw", DemoOptions.DrawnItems + 1, DemoOptions.DrawnItems + 1));
        return drawings;
    }

    /// <summary>Codes that no item has, with the coarse codes of one that exists, and the items that share those.</summary>
    private static (Catalog.SemanticId Id, List<int> Near) UnusedId(ItemTable items, Random random)
    {
        var taken = items.SemanticIds.Select(id => id.WithCollision(0)).ToHashSet();
        while (true)
        {
            var codes = items.SemanticIds[random.Next(items.Count)].Codes();
            codes[^1] = (ushort)random.Next(items.CodebookSizes[^1]);
            var id = new Catalog.SemanticId(codes);
            if (!taken.Contains(id))
            {
                var near = Enumerable.Range(0, items.Count).Where(
                    item =>
                        codes.Length == 1
                            || items.SemanticIds[item].Codes()
                                .AsSpan(0, codes.Length - 1).SequenceEqual(codes.AsSpan(0, codes.Length - 1)));
                return (id, near.Take(3).ToList());
            }
        }
    }

    private static async Task<List<byte[]>> PicturesAsync(
        Creative.CreativeClient creative, GenerateRequest request, CancellationToken cancel)
    {
        using var call = creative.Generate(request, cancellationToken: cancel);
        return await call.ResponseStream.ReadAllAsync(cancel).Where(message => message.Image is not null)
            .Select(message => message.Image.Png.ToByteArray()).ToListAsync(cancel);
    }
}
