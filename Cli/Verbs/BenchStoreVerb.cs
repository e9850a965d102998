using System.CommandLine;
using System.Diagnostics;
using Recsys.Bench;
using Recsys.Catalog;
using Recsys.Cli.Terminal;
using Recsys.Store.Redis;

namespace Recsys.Cli.Verbs;

/// <summary>The lookup tables of a large catalogue in a Redis of their own.</summary>
internal static class BenchStoreVerb
{
    private const double SecondsPerMillion = 30, BytesPerItem = 120;

    private static readonly int[] Sizes = [256, 256, 256];

    private static readonly Option<int> Items = VerbOption.Of("--items", "Items that are published (1000 to 10000000).", 1_000_000);
    private static readonly Option<int> Rounds = VerbOption.Of("--rounds", "Rounds, each into an empty Redis (1 to 100).", 3);
    private static readonly Option<long> Seed = VerbOption.Of("--seed", "Of the items' codes.", 17L);

    public static Command Create()
    {
        var command = new Command("store", "Publishing the lookup tables of a large catalogue to Redis.") { Items, Rounds, Seed };
        command.OnCompute(RunAsync);
        return command;
    }

    private static async Task<VerbResult> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        int count = parsed.GetValue(Items), rounds = parsed.GetValue(Rounds);
        if (count is < 1000 or > 10_000_000 || rounds is < 1 or > 100)
        {
            throw CatalogException.Invalid($"--items {count} --rounds {rounds}: allowed are 1000 to 10000000 items and 1 to 100 rounds.");
        }

        var items = Catalogue(count, parsed.GetValue(Seed));
        var (seconds, bytes) = (new List<double>(), new List<double>());
        for (int round = 0; round < rounds; round++)
        {
            var folder = Directory.CreateTempSubdirectory("recsys-bench-");
            try
            {
                var (took, held) = await PublishAsync(folder.FullName, items, cancel);
                seconds.Add(took);
                bytes.Add(held / count);
                Console.Error.WriteLine($"recsys: round {round + 1}: {took:F1} s, {held / count:F0} bytes an item");
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        }

        double[] Goals(double goal) => [.. Enumerable.Repeat(goal, rounds)];
        return BenchVerb.Result(
            "store",
            [
                new BenchCase($"publish {count} items", "s", [.. seconds], Goals(SecondsPerMillion * count / 1e6), "the goal", null, 1),
                new BenchCase("memory of an item in Redis", "bytes", [.. bytes], Goals(BytesPerItem), "the goal", null, 1),
            ],
            $"{count} items of random codes [{string.Join(", ", Sizes)}], seed {parsed.GetValue(Seed)}; {rounds} rounds; Redis shares the "
            + "machine and syncs each write to disk");
    }

    private static async Task<(double Seconds, double Bytes)> PublishAsync(string folder, ItemTable items, CancellationToken cancel)
    {
        await using var redis = await PrivateRedis.StartAsync(folder, cancel);
        var options = new RedisOptions(redis.Socket);
        await using var connection = await RedisConnections.ConnectAsync(options);
        var store = new RedisSemanticIdStore(connection, options);
        var watch = Stopwatch.StartNew();
        await store.PublishAsync("v", items, cancel);
        return (watch.Elapsed.TotalSeconds, await store.BytesAsync("v", cancel));
    }

    private static ItemTable Catalogue(int count, long seed)
    {
        var random = new Random((int)seed);
        var codes = new ushort[count * Sizes.Length];
        for (int at = 0; at < codes.Length; at++)
        {
            codes[at] = (ushort)random.Next(Sizes[at % Sizes.Length]);
        }

        return new ItemTable(
            [.. Enumerable.Range(0, count).Select(item => $"item {item}")],
            Recsys.Quantizer.Encoding.CollisionTokens.Assign(codes, count, Sizes.Length), [.. Enumerable.Repeat("", count)], Sizes);
    }
}
