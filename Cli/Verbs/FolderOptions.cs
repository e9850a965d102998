using System.CommandLine;
using Recsys.Cli.Terminal;
using Recsys.Server.Serving;

namespace Recsys.Cli.Verbs;

/// <summary>The folders that several verbs read and write, and the Redis that goes with them.</summary>
internal static class FolderOptions
{
    public static readonly Option<string> Data = VerbOption.Required<string>("--data", "The dataset folder.");

    /// <summary>Versions that are read.</summary>
    public static readonly Option<string> Versions = VerbOption.Of("--versions", "Folder of versions.", "versions");

    /// <summary>Versions that are made.</summary>
    public static readonly Option<string> Out = VerbOption.Of("--out", "Folder of versions.", "versions");

    public static readonly Option<string?> Redis = VerbOption.OrVariable(
        "--redis", "Redis connection string (default: RECSYS_REDIS, else a private Redis in the folder of versions).", "RECSYS_REDIS");

    public static readonly Option<string?> RedisPrefix = VerbOption.OrVariable(
        "--redis-prefix",
        "What the keys in Redis begin with, where several folders of versions share one (default: RECSYS_REDIS_PREFIX, else recsys:).",
        "RECSYS_REDIS_PREFIX");

    public static Task<Stores> OpenStoresAsync(this ParseResult parsed, Option<string> folder, CancellationToken cancel) =>
        Stores.OpenAsync(Path.GetFullPath(parsed.GetValue(folder)!), parsed.GetValue(Redis), parsed.GetValue(RedisPrefix), cancel);
}
