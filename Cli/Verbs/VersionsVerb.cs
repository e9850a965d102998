using System.CommandLine;
using Grpc.Core;
using Recsys.Cli.Terminal;
using Recsys.Server.Serving;
using Recsys.Store;
using Recsys.V1;
using VersionInfo = Recsys.V1.VersionInfo;

namespace Recsys.Cli.Verbs;

/// <summary>Versions of a running server, and of a folder that nothing can be served from.</summary>
internal static class VersionsVerb
{
    private static readonly Argument<string> Version = new("version");
    private static readonly Option<string?> Expected =
        VerbOption.Of<string?>("--expected", "Activate only if this is the active version.");
    private static readonly Option<int> Keep =
        VerbOption.Required<int>("--keep", "Newest versions that stay, besides the active one.");

    public static Command Create() => new(
        "versions", "List, describe, activate and roll back versions of a running server; restore a lost Redis; remove old versions.")
    {
        OnServer("list", "Versions that the server can serve.", [], ListAsync),
        OnServer("describe", "One version's manifest.", [Version], DescribeAsync),
        OnServer("activate", "Make a version the active one.", [Version, Expected], async (client, parsed, call) => Moved(
            await client.ActivateAsync(
                new ActivateVersionRequest { Version = parsed.GetValue(Version), Expected = parsed.GetValue(Expected) ?? "" }, call))),
        OnServer("rollback", "Activate the version before the active one.", [], async (client, _, call) => Moved(
            await client.RollbackAsync(new RollbackVersionRequest(), call))),
        Restore(),
        Prune(),
    };

    private static async Task<VerbResult> ListAsync(Versions.VersionsClient client, ParseResult parsed, CallOptions call)
    {
        var answer = await client.ListAsync(new ListVersionsRequest(), call);
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
    }

    private static async Task<VerbResult> DescribeAsync(Versions.VersionsClient client, ParseResult parsed, CallOptions call)
    {
        var info = await client.DescribeAsync(new DescribeVersionRequest { Version = parsed.GetValue(Version) }, call);
        return new VerbResult(Json(info), output =>
        {
            output.WriteLine($"{info.Version}  {info.Dataset}, {info.Items} items, seed {info.Seed}, {info.Created}");
            foreach (var (name, value) in info.Metrics.OrderBy(metric => metric.Key, StringComparer.Ordinal))
            {
                output.WriteLine($"  {name,-32} {value:G6}");
            }
        });
    }

    private static Command OnServer(
        string name, string description, Symbol[] takes,
        Func<Versions.VersionsClient, ParseResult, CallOptions, Task<VerbResult>> ask)
    {
        var command = new Command(name, description);
        takes.OfType<Argument>().ToList().ForEach(command.Arguments.Add);
        takes.OfType<Option>().ToList().ForEach(command.Options.Add);
        command.OnCall((parsed, channel, call) => ask(new Versions.VersionsClient(channel), parsed, call));
        return command;
    }

    /// <summary>Works on the folder and its Redis directly: it is for when nothing can be served.</summary>
    private static Command Restore() => OnStores(
        "restore", "Fill a Redis that lost something from the folder of versions.", [], async (stores, _, cancel) =>
    {
        string[] all = [.. stores.Versions.List().Select(manifest => manifest.Version)];
        var report = await StoreRecovery.RunAsync(stores.Versions, stores.Ids, all, cancel);
        int live = await stores.Live.RecoverAsync(cancel);
        int events = await stores.Interactions.RecoverAsync(whole: true, cancel);
        return new VerbResult(
            new { report.Recovered, report.Active, report.Appended, report.Journalled, live, events },
            output => output.WriteLine(
                $"{report.Recovered.Count} versions in Redis, {report.Appended} appended items, {live} live attributes and {events} "
                + $"interactions were missing, active: {report.Active ?? "none"}"));
    });

    private static Command Prune() => OnStores(
        "prune", "Remove old versions for good, folders and Redis.", [Keep], async (stores, parsed, cancel) =>
    {
        var removed = await stores.PruneAsync(parsed.GetValue(Keep), cancel);
        return new VerbResult(new { removed }, output => output.WriteLine(
            removed.Count == 0 ? "nothing to remove" : $"removed {string.Join(", ", removed)}"));
    });

    private static Command OnStores(
        string name, string description, Option[] options, Func<Stores, ParseResult, CancellationToken, Task<VerbResult>> work)
    {
        var command = new Command(name, description) { FolderOptions.Versions, FolderOptions.Redis, FolderOptions.RedisPrefix };
        Array.ForEach(options, command.Add);
        command.OnRun(async (parsed, cancel) =>
        {
            await using var stores = await parsed.OpenStoresAsync(FolderOptions.Versions, cancel);
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
