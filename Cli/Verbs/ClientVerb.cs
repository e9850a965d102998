using System.CommandLine;
using Grpc.Core;
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

    private static readonly Option<string?> Server =
        VerbOption.OrVariable("--server", "Address of the server.", "RECSYS_SERVER", "http://" + ServeOptions.DefaultListen);
    private static readonly Option<double> Timeout = VerbOption.Of("--timeout", "Seconds before a call is given up.", 60.0);

    /// <summary>Makes a command one that calls a server, at the address and with the patience that its options say.</summary>
    /// <param name="call">Options of a call that begins now; a later one takes <see cref="Deadline"/> anew.</param>
    public static void OnCall(this Command command, Func<ParseResult, GrpcChannel, CallOptions, Task<VerbResult>> call)
    {
        command.Options.Add(Server);
        command.Options.Add(Timeout);
        command.OnRun(async (parsed, cancel) =>
        {
            using var channel = Channel(parsed.GetValue(Server)!);
            return await call(parsed, channel, new CallOptions(deadline: parsed.Deadline(), cancellationToken: cancel));
        });
    }

    public static DateTime Deadline(this ParseResult parsed) => parsed.GetValue(Timeout) is > 0 and <= 86_400 and double seconds
        ? DateTime.UtcNow.AddSeconds(seconds)
        : throw CatalogException.Invalid($"--timeout {parsed.GetValue(Timeout)} is out of range: give 0 to 86400 seconds.");

    /// <summary>Item ids as they were given, one an argument: commas, blanks and a leading @ belong to the id.</summary>
    /// <exception cref="CatalogException">InvalidArgument: an empty one, which no item has.</exception>
    public static string[] Items(IEnumerable<string>? given) => given?.ToArray() is not { } ids ? []
        : !ids.Contains("") ? ids
        : throw CatalogException.Invalid("An item id is empty: give one id an argument, with the shell's quotes around blanks.");

    private static GrpcChannel Channel(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            ? GrpcChannel.ForAddress(address)
            : throw CatalogException.Invalid($"--server '{address}' is no address: write for example http://{ServeOptions.DefaultListen}.");
}
