using System.CommandLine;
using Grpc.Net.Client;
using Recsys.Catalog;
using Recsys.Cli.Terminal;
using Recsys.Server.Serving;

namespace Recsys.Cli.Verbs;

/// <summary>What the verbs that call a running server share.</summary>
internal static class ClientVerb
{
    /// <summary>How a history is given.</summary>
    public const string History = "Item ids, oldest first, one an argument; those that begin with '-' after '--'.";

    public static readonly Option<string> Server = new("--server")
    {
        Description = "Address of the server.",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("RECSYS_SERVER") ?? "http://" + ServeOptions.DefaultListen,
    };
    public static readonly Option<double> Timeout = VerbOption.Of("--timeout", "Seconds before a call is given up.", 60.0);

    public static readonly Option<string?> RedisPrefix = new("--redis-prefix")
    {
        Description = "What the keys in Redis begin with, where several folders of versions share one (default: RECSYS_REDIS_PREFIX, "
            + "else recsys:).",
    };

    public static GrpcChannel Channel(ParseResult parsed)
    {
        string address = parsed.GetValue(Server)!;
        return Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            ? GrpcChannel.ForAddress(address)
            : throw CatalogException.Invalid($"--server '{address}' is no address: write for example http://{ServeOptions.DefaultListen}.");
    }

    public static DateTime Deadline(ParseResult parsed) => parsed.GetValue(Timeout) is > 0 and <= 86_400 and double seconds
        ? DateTime.UtcNow.AddSeconds(seconds)
        : throw CatalogException.Invalid($"--timeout {parsed.GetValue(Timeout)} is out of range: give 0 to 86400 seconds.");

    /// <summary>Item ids as they were given, one an argument: commas, blanks and a leading @ belong to the id.</summary>
    /// <exception cref="CatalogException">InvalidArgument: an empty one, which no item has.</exception>
    public static string[] Items(IEnumerable<string>? given) => given?.ToArray() is not { } ids ? []
        : !ids.Contains("") ? ids
        : throw CatalogException.Invalid("An item id is empty: give one id an argument, with the shell's quotes around blanks.");
}
