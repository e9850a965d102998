using System.CommandLine;
using Recsys.Cli.Terminal;
using Recsys.Datasets;
using Recsys.Server.Serving;
using Recsys.V1;

namespace Recsys.Cli.Verbs;

internal static class VersionsVerb
{
    public static Command Create()
    {
        var version = new Argument<string>("version");
        var expected = new Option<string?>("--expected") { Description = "Activate only if this is the active version." };
        var list = new Command("list", "Versions that the server can serve.") { ClientVerb.Server, ClientVerb.Timeout };
        list.OnRun(async (parsed, cancel) =>
        {
            using var channel = ClientVerb.Channel(parsed);
            var answer = await new Versions.VersionsClient(channel).ListAsync(
                new ListVersionsRequest(), deadline: ClientVerb.Deadline(parsed), cancellationToken: cancel);
            return new VerbResult(
                new { active = answer.Active, serving = answer.Serving, versions = answer.Versions.Select(Json) },
                output =>
                {
                    foreach (var info in answer.Versions)
                    {
                        output.WriteLine(
                            $"{(info.Version == answer.Active ? "*" : " ")} {info.Version}  {info.Dataset}, {info.Items} items, "
                            + $"{string.Join('×', info.CodebookSizes)} codes, {info.Created}");
                    }
                });
        });
        var describe = new Command("describe", "One version's manifest.") { version, ClientVerb.Server, ClientVerb.Timeout };
        describe.OnRun(async (parsed, cancel) =>
        {
            using var channel = ClientVerb.Channel(parsed);
            var info = await new Versions.VersionsClient(channel).DescribeAsync(
                new DescribeVersionRequest { Version = parsed.GetValue(version) }, deadline: ClientVerb.Deadline(parsed),
                cancellationToken: cancel);
            return new VerbResult(Json(info), output =>
            {
                output.WriteLine($"{info.Version}  {info.Dataset}, {info.Items} items, seed {info.Seed}, {info.Created}");
                foreach (var (name, value) in info.Metrics.OrderBy(metric => metric.Key, StringComparer.Ordinal))
                {
                    output.WriteLine($"  {name,-32} {value:G6}");
                }
            });
        });
        var activate = new Command("activate", "Make a version the active one.")
        {
            version, expected, ClientVerb.Server, ClientVerb.Timeout,
        };
        activate.OnRun(async (parsed, cancel) =>
        {
            using var channel = ClientVerb.Channel(parsed);
            return Moved(await new Versions.VersionsClient(channel).ActivateAsync(
                new ActivateVersionRequest { Version = parsed.GetValue(version), Expected = parsed.GetValue(expected) ?? "" },
                deadline: ClientVerb.Deadline(parsed), cancellationToken: cancel));
        });
        var rollback = new Command("rollback", "Activate the version before the active one.") { ClientVerb.Server, ClientVerb.Timeout };
        rollback.OnRun(async (parsed, cancel) =>
        {
            using var channel = ClientVerb.Channel(parsed);
            return Moved(
                await new Versions.VersionsClient(channel).RollbackAsync(
                    new RollbackVersionRequest(), deadline: ClientVerb.Deadline(parsed), cancellationToken: cancel));
        });
        return new Command(
            "versions",
            "List, describe, activate and roll back versions of a running server; restore a lost Redis; remove old versions.")
        {
            list, describe, activate, rollback, Restore(), Prune(),
        };
    }

    /// <summary>Works on the folder and its Redis directly: it is for when nothing can be served.</summary>
    private static Command Restore() => OnStores(
        "restore", "Fill a Redis that lost something from the folder of versions.", [], async (stores, _, cancel) =>
    {
        var report = await stores.RestoreAsync([.. stores.Versions.List().Select(manifest => manifest.Version)], cancel);
        return new VerbResult(report, output => output.WriteLine(
            $"{report.Recovered.Count} versions in Redis, {report.Appended} appended items, active: {report.Active ?? "none"}"));
    });

    private static Command Prune()
    {
        var keep = new Option<int>("--keep") { Description = "Newest versions that stay, besides the active one.", Required = true };
        return OnStores("prune", "Remove old versions for good, folders and Redis.", [keep], async (stores, parsed, cancel) =>
        {
            var removed = await stores.PruneAsync(parsed.GetValue(keep), cancel);
            return new VerbResult(new { removed }, output => output.WriteLine(
                removed.Count == 0 ? "nothing to remove" : $"removed {string.Join(", ", removed)}"));
        });
    }

    private static Command OnStores(
        string name, string description, Option[] options, Func<Stores, ParseResult, CancellationToken, Task<VerbResult>> work)
    {
        var root = new Option<string>("--versions") { Description = "Folder of versions.", DefaultValueFactory = _ => "versions" };
        var redis = new Option<string?>("--redis") { Description = "Redis connection string (default: RECSYS_REDIS, else a private "
            + "Redis in the folder of versions)." };
        var command = new Command(name, description) { root, redis, ClientVerb.RedisPrefix };
        Array.ForEach(options, command.Add);
        command.OnRun(async (parsed, cancel) =>
        {
            await using var stores = await Stores.OpenAsync(
                Path.GetFullPath(parsed.GetValue(root)!), parsed.GetValue(redis), parsed.GetValue(ClientVerb.RedisPrefix), cancel);
            return await work(stores, parsed, cancel);
        });
        return command;
    }

    private static VerbResult Moved(ActivateVersionResponse answer) =>
        new(
            new { active = answer.Active, previous = answer.Previous },
            output => output.WriteLine($"{answer.Active} is active (before: {(answer.Previous.Length == 0 ? "none" : answer.Previous)})"));

    private static object Json(VersionInfo info) =>
        new
        {
            version = info.Version, created = info.Created, dataset = info.Dataset, seed = info.Seed, items = info.Items,
            codebook_sizes = info.CodebookSizes, metrics = info.Metrics,
        };
}
