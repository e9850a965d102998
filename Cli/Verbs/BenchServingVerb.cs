using System.CommandLine;
using Grpc.Net.Client;
using Recsys.Bench;
using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Cli.Demo;
using Recsys.Cli.Terminal;
using Recsys.Datasets;
using Recsys.Retrieval;
using Recsys.Store.Versions;
using Recsys.V1;

namespace Recsys.Cli.Verbs;

/// <summary>Recommendations under load, by a version that was built before.</summary>
internal static class BenchServingVerb
{
    private const int Histories = 1000, Longest = 20, Vectors = 4096;

    private static readonly Option<int> Rounds = VerbOption.Of("--rounds", "Rounds of all loads in turn (1 to 100).", 3);
    private static readonly Option<double> Seconds = VerbOption.Of("--seconds", "Of each load (1 to 600).", 10.0);
    private static readonly Option<long> Seed = VerbOption.Of("--seed", "Of the users that ask, and of when they do.", 17L);

    public static Command Create()
    {
        var command = new Command("serving", "Recommendations in process, and from a server under load; the active version.")
        {
            FolderOptions.Data, FolderOptions.Versions, Rounds, Seconds, Seed,
        };
        command.OnCompute(RunAsync);
        return command;
    }

    private static async Task<VerbResult> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        int rounds = parsed.GetValue(Rounds);
        double seconds = parsed.GetValue(Seconds);
        if (rounds is < 1 or > 100 || seconds is not (>= 1 and <= 600))
        {
            throw CatalogException.Invalid($"--rounds {rounds} --seconds {seconds}: allowed are 1 to 100 rounds of 1 to 600 seconds.");
        }

        string log = Path.GetTempFileName();
        try
        {
            return await MeasureAsync(parsed, rounds, seconds, log, cancel);
        }
        finally
        {
            File.Delete(log);
        }
    }

    private static async Task<VerbResult> MeasureAsync(
        ParseResult parsed, int rounds, double seconds, string log, CancellationToken cancel)
    {
        string root = Path.GetFullPath(parsed.GetValue(FolderOptions.Versions)!);
        using var dataset = parsed.Open(parsed.GetValue(FolderOptions.Data)!);
        long seed = parsed.GetValue(Seed);
        await using var server = await ServerProcess.StartAsync(root, log, cancel);
        using var channel = GrpcChannel.ForAddress(server.Address);
        var client = new V1.Retrieval.RetrievalClient(channel);
        string version = (await client.RecommendAsync(new RecommendRequest { K = 1 }, cancellationToken: cancel)).Version;
        var folder = new VersionStore(root).Open(version);
        var items = folder.Items;
        using var recommender = Recommender(folder, Arithmetics.Fastest);
        using var exact = Arithmetics.Fastest == Arithmetic.Float32 ? null : Recommender(folder, Arithmetic.Float32);
        using var plain = Recommender(folder, Arithmetic.Operators);
        var histories = Chosen(dataset, items, seed);
        var bench = new ServingBench(
            recommender, exact, plain,
            async history => await client.RecommendAsync(
                new RecommendRequest { History = { history.Select(item => items.Ids[item]) }, K = 10 }, cancellationToken: cancel),
            Encoder(new V1.Quantizer.QuantizerClient(channel), new Random((int)seed), cancel), histories, seconds, seed);
        var cases = await bench.Run(rounds, line => Console.Error.WriteLine($"recsys: {line}"), cancel);
        return BenchVerb.Result("serving", cases,
            $"{version} of {dataset.Name}: {items.Count} items, {histories.Count} histories of at "
            + $"most {Longest}, k 10, seed {seed}; {Arithmetics.Fastest}; {rounds} rounds of {seconds} s a load; "
            + "clients and server share the machine");
    }

    /// <summary>Encode with random vectors of the version's own embeddings: what is sent and computed does not depend on their
    /// values.</summary>
    private static Func<int, int, Task> Encoder(V1.Quantizer.QuantizerClient client, Random random, CancellationToken cancel)
    {
        var codebook = client.DescribeCodebook(new DescribeCodebookRequest(), cancellationToken: cancel);
        ItemEmbedding[] items = [.. Enumerable.Range(0, Vectors).Select(number =>
        {
            var item = new ItemEmbedding { ItemId = $"item {number}" };
            foreach (var embedding in codebook.Embeddings)
            {
                var vector = new Vector { Space = embedding.Space };
                vector.Values.AddRange(Enumerable.Range(0, (int)embedding.Dim).Select(_ => (float)((2 * random.NextDouble()) - 1)));
                item.Embeddings.Add(embedding.Name, vector);
            }

            return item;
        })];
        return async (count, number) =>
        {
            var request = new EncodeRequest { Items = { Enumerable.Range(number * count, count).Select(at => items[at % Vectors]) } };
            await client.EncodeAsync(request, cancellationToken: cancel);
        };
    }

    private static Recommender Recommender(VersionFolder folder, Arithmetic arithmetic) =>
        (Recommender)(new RecommenderLoader(arithmetic: arithmetic).Load(folder, folder.Items) ?? throw CatalogException.Precondition(
            $"Version '{folder.Version}' has no retrieval model. Build one with './recsys rebuild'."));

    /// <summary>What users that are drawn by lot touched last, their newest interaction left out.</summary>
    private static List<int[]> Chosen(Dataset dataset, ItemTable items, long seed)
    {
        var split = new LeaveOneOut(dataset.Sequences);
        int[] users = [.. split.EvaluatedUsers];
        new Random((int)seed).Shuffle(users);
        var chosen = users.Take(Histories)
            .Select(user => items.Known(split.TestHistory(user)[^Math.Min(Longest, split.TestHistory(user).Length)..].ToArray()
                .Select(item => dataset.ItemIds[item])).Items.ToArray())
            .Where(history => history.Length > 0).ToList();
        return chosen.Count > 0 ? chosen : throw CatalogException.Precondition(
            $"Dataset '{dataset.Name}' has no history of three interactions with an item of the version. Give the version's own dataset.");
    }
}
