using System.CommandLine;
using Recsys.Catalog;
using Recsys.Cli.Terminal;
using Recsys.Server.Serving;
using Recsys.Store.Versions;

namespace Recsys.Cli.Verbs;

/// <summary>The folders that several verbs read and write, and the Redis that goes with them.</summary>
internal static class FolderOptions
{
    public static readonly Option<string> Data = VerbOption.Required<string>("--data", "The dataset folder.");

    /// <summary>Versions that are read.</summary>
    public static readonly Option<string> Versions = VerbOption.Of("--versions", "Folder of versions.", "versions");

    /// <summary>Versions that are made.</summary>
    public static readonly Option<string> Out = VerbOption.Of("--out", "Folder of versions.", "versions");

    /// <summary>One version that is read: <see cref="VersionIn"/>.</summary>
    public static readonly Option<string?> Version = VerbOption.Of<string?>("--version", "The version (default: the newest).");

    public static readonly Option<string?> Redis = VerbOption.OrVariable(
        "--redis", "Redis connection string (default: RECSYS_REDIS, else a private Redis in the folder of versions).", "RECSYS_REDIS");

    public static readonly Option<string?> RedisPrefix = VerbOption.OrVariable(
        "--redis-prefix",
        "What the keys in Redis begin with, where several folders of versions share one (default: RECSYS_REDIS_PREFIX, else recsys:).",
        "RECSYS_REDIS_PREFIX");

    public static Task<Stores> OpenStoresAsync(this ParseResult parsed, Option<string> folder, CancellationToken cancel) =>
        Stores.OpenAsync(Path.GetFullPath(parsed.GetValue(folder)!), parsed.GetValue(Redis), parsed.GetValue(RedisPrefix), cancel);

    /// <exception cref="CatalogException">NotFound: none is named, and there is none.</exception>
    public static string VersionIn(this ParseResult parsed, VersionStore versions) => parsed.GetValue(Version)
        ?? (versions.List() is [.., var newest] ? newest.Version : throw CatalogException.NotFound(
            $"There is no version in '{versions.Root}'. Build one: ./recsys rebuild --data DATASET --out {versions.Root}."));
}
