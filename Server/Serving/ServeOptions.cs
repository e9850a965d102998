using System.Net;
using Recsys.Catalog;

namespace Recsys.Server.Serving;

/// <param name="Versions">Folder of versions.</param>
/// <param name="Redis">Connection string; null: a private Redis in the folder of versions.</param>
/// <param name="Listen">Where gRPC listens: <c>address:port</c> (port 0: any free one).</param>
internal sealed record ServeOptions(string Versions, string? Redis, IPEndPoint Listen)
{
    public static readonly string DefaultListen = "127.0.0.1:5757";

    /// <summary>Largest request that is read, in bytes: an Assign of 10,000 embeddings fits.</summary>
    public const int MaxRequestBytes = 64 * 1024 * 1024;

    public static IPEndPoint ParseListen(string text) => IPEndPoint.TryParse(text, out var endpoint)
        ? endpoint
        : throw CatalogException.Invalid($"--listen '{text}' is no address and port: write for example {DefaultListen} (port 0: any free one).");
}
