using System.CommandLine;
using System.Globalization;
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

/// <summary>Recommendations under load, by a version that was built before, or of a catalogue made up for it.</summary>
internal static class BenchServingVerb
{
    private const int Histories = 1000, Longest = 20, Vectors = 4096, StartSeconds = 600;
    /// <summary>Histories that a search through all items of a catalogue that is made up is asked for: each takes it long.</summary>
    private const int Compared = 100;

    private const double MegabytesOfMillion = 2000;

    private static readonly Option<int> Rounds = VerbOption.Of("--rounds", "Rounds of all loads in turn (1 to 100).", 3);
    private static readonly Option<double> Seconds = VerbOption.Of("--seconds", "Of each load (1 to 600).", 10.0);
    private static readonly Option<long> Seed = VerbOption.Of("--seed", "Of the users that ask, and of when they do.", 17L);

    private static readonly Option<string?> Data = VerbOption.Of<string?>("--data", "The version's dataset folder; its users ask.");

    private static readonly Option<int?> Items = VerbOption.Of<int?>(
        "--items", "A catalogue made up of so many items (1000 to 2000000) in place of --data and --versions.");

    public static Command Create()
    {
        var command = new Command("serving", "Recommendations in process, and from a server under load; the active version.")
        {
            Data, FolderOptions.Versions, Items, Rounds, Seconds, Seed,
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

        if ((parsed.GetValue(Data), parsed.GetValue(Items)) is (null, null) or (not null, not null))
        {
            throw CatalogException.Invalid("Give --data with the dataset of the active version, or --items for a catalogue made up.");
        }

        if (parsed.GetValue(Items) is { } made and (< 1000 or > 2_000_000))
        {
            throw CatalogException.Invalid($"--items {made}: allowed are 1000 to 2000000.");
        }

        var scratch = Directory.CreateTempSubdirectory("recsys-bench-");
        try
        {
            string log = Path.Combine(scratch.FullName, "server.log");
            return parsed.GetValue(Items) is { } count
                ? await MadeUpAsync(parsed, count, Path.Combine(scratch.FullName, "versions"), log, cancel)
                : await ActiveAsync(parsed, log, cancel);
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    private static async Task<VerbResult> ActiveAsync(ParseResult parsed, string log, CancellationToken cancel)
    {
        string root = Path.GetFullPath(parsed.GetValue(FolderOptions.Versions)!);
        using var dataset = parsed.Open(parsed.GetValue(Data)!);
        await using var server = await ServerProcess.StartAsync(root, log, cancel);
        using var channel = GrpcChannel.ForAddress(server.Address);
        string version = (await new V1.Retrieval.RetrievalClient(channel)
            .RecommendAsync(new RecommendRequest { K = 1 }, cancellationToken: cancel)).Version;
        var folder = new VersionStore(root).Open(version);
        using var exact = Arithmetics.Fastest == Arithmetic.Float32 ? null : Recommender(folder, Arithmetic.Float32);
        using var plain = Recommender(folder, Arithmetic.Operators);
        var histories = Chosen(dataset, folder.Items, parsed.GetValue(Seed));
        var encode = Encoder(new V1.Quantizer.QuantizerClient(channel), new Random((int)parsed.GetValue(Seed)), cancel);
        var cases = await MeasureAsync(parsed, folder, channel, encode, exact, plain, histories, Histories, cancel);
        return Result(
            parsed, cases, $"{version} of {dataset.Name}: {folder.Items.Count} items, {histories.Count} histories of at most {Longest}");
    }

    private static async Task<VerbResult> MadeUpAsync(ParseResult parsed, int count, string root, string log, CancellationToken cancel)
    {
        int seed = (int)parsed.GetValue(Seed);
        var folder = MakeUp(count, root, seed);
        Console.Error.WriteLine($"recsys: a version of {count} items is made up");
        await using var server = await ServerProcess.StartAsync(root, log, cancel, StartSeconds);
        using var channel = GrpcChannel.ForAddress(server.Address);
        var histories = LargeCatalogue.Histories(folder.Items, Histories, new Random(seed + 1));
        List<BenchCase> cases;
        using (var plain = Recommender(folder, Arithmetic.Operators)) // looks at every item
        {
            cases = await MeasureAsync(parsed, folder, channel, encode: null, plain, plain, histories, Compared, cancel);
        }

        double goal = MegabytesOfMillion * count / 1e6;
        var (own, pages) = (MegabytesOf(server.Id, "RssAnon", "RssShmem"), MegabytesOf(server.Id, "RssFile"));
        cases.Add(new BenchCase("memory of the server after that", "MB", [own + pages], [goal], "the goal", null, 1));
        cases.Add(new BenchCase("of that, pages of files, which the system may drop", "MB", [pages], null, null, null, null));
        return Result(parsed, cases, $"{count} items of random codes, all legs, {histories.Count} histories of at most {Longest}");
    }

    /// <summary>Writes a version of all legs, the active one of its folder.</summary>
    private static VersionFolder MakeUp(int count, string root, int seed)
    {
        var store = new VersionStore(root);
        var items = LargeCatalogue.Table(count, seed);
        using var writer = store.Begin("made-up");
        writer.WriteItems(items);
        using (var model = LargeCatalogue.Model(items, seed))
        {
            model.Save(writer.PathOf(RetrievalModel.PartName));
        }

        var folder = writer.Seal(new VersionDescription(
            "made up", seed, [.. items.CodebookSizes], count, new Dictionary<string, double>()));
        store.NoteActive(folder.Version);
        return folder;
    }

    /// <param name="what">As the kernel calls it.</param>
    private static double MegabytesOf(int process, params string[] what) => File.ReadLines($"/proc/{process}/status")
        .Where(line => what.Any(name => line.StartsWith(name + ":", StringComparison.Ordinal)))
        .Sum(line => double.Parse(line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture))
        * 1024 / 1e6;

    /// <param name="exact">As of <see cref="ServingBench"/>.</param>
    private static async Task<List<BenchCase>> MeasureAsync(
        ParseResult parsed, VersionFolder folder, GrpcChannel channel, Func<int, int, Task>? encode, IRecommender? exact,
        IRecommender plain, IReadOnlyList<int[]> histories, int compared, CancellationToken cancel)
    {
        var (client, items) = (new V1.Retrieval.RetrievalClient(channel), folder.Items);
        using var recommender = Recommender(folder, Arithmetics.Fastest);
        var bench = new ServingBench(
            recommender, exact, plain,
            async history => await client.RecommendAsync(
                new RecommendRequest { History = { history.Select(item => items.Ids[item]) }, K = 10 }, cancellationToken: cancel),
            encode, histories, compared, parsed.GetValue(Seconds), parsed.GetValue(Seed));
        return await bench.Run(parsed.GetValue(Rounds), line => Console.Error.WriteLine($"recsys: {line}"), cancel);
    }

    private static VerbResult Result(ParseResult parsed, List<BenchCase> cases, string about) => BenchVerb.Result("serving", cases,
        $"{about}, k 10, seed {parsed.GetValue(Seed)}; {Arithmetics.Fastest}; {parsed.GetValue(Rounds)} rounds of "
        + $"{parsed.GetValue(Seconds)} s a load; clients and server share the machine");

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
