using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Recsys.Catalog;
using Recsys.Retrieval;

namespace Recsys.Server.Serving;

/// <param name="Versions">Folder of versions.</param>
/// <param name="Redis">Connection string; null: a private Redis in the folder of versions.</param>
/// <param name="Listen">Where gRPC listens (HTTP/2 without TLS); port 0: any free one.</param>
/// <param name="Http">Where the same services answer JSON over HTTP/1.1; null: nowhere.
/// Without TLS one port cannot tell the two apart.</param>
/// <param name="Drain">How long calls in flight may go on once the server was asked to stop; then they are cancelled.</param>
/// <param name="Device">Where the models are: cpu, cuda or cuda:N.</param>
/// <param name="Arithmetic">Of answers.</param>
internal sealed record ServeOptions(
    string Versions, string? Redis, IPEndPoint Listen, IPEndPoint? Http, TimeSpan Drain, string Device = "cpu",
    Arithmetic Arithmetic = Arithmetic.Float32)
{
    public const string DefaultListen = "127.0.0.1:5757";

    /// <summary>Seconds; the process manager's own patience (Kubernetes: 30 s, systemd: 90 s) should be longer.</summary>
    public const double DefaultDrain = 10, MaxDrain = 240;

    /// <summary>After the drain: a cancelled drawing ends within one solver step, its status is sent, connections are closed.</summary>
    public static readonly TimeSpan CancelTime = TimeSpan.FromSeconds(15);

    /// <summary>Largest gRPC message that is read, in bytes: an Assign of 10,000 embeddings fits.</summary>
    public const int MaxRequestBytes = 64 * 1024 * 1024;

    /// <summary>Largest JSON body that is read, in bytes. gRPC's limit does not hold for JSON,
    /// where a float takes about three times the bytes.</summary>
    public const long MaxJsonBytes = 4L * MaxRequestBytes;

    /// <summary>An address and port: <c>0.0.0.0:5757</c>, <c>[::1]:5757</c>, <c>localhost:5757</c>,
    /// or a port alone (this machine only).</summary>
    /// <exception cref="CatalogException">InvalidArgument: anything else.</exception>
    public static IPEndPoint ParseEndpoint(string option, string text)
    {
        string full = ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _) ? $"{IPAddress.Loopback}:{text}"
            : text.StartsWith("localhost:", StringComparison.OrdinalIgnoreCase) ? $"{IPAddress.Loopback}{text["localhost".Length..]}"
            : text;
        return IPEndPoint.TryParse(full, out var endpoint)
            && (endpoint.AddressFamily == AddressFamily.InterNetworkV6
                ? full.Contains("]:", StringComparison.Ordinal)
                : full.StartsWith($"{endpoint.Address}:", StringComparison.Ordinal)) // not 1:80 or 010.0.0.1:80, which some read otherwise
                ? endpoint
                : throw CatalogException.Invalid(
                    $"{option} '{text}' is no address and port: write for example {DefaultListen} (port 0: any free one).");
    }

    /// <summary>Where JSON is answered: at the port after gRPC's, unless told otherwise.</summary>
    /// <param name="text">Null: the default; <c>off</c>: nowhere; a port: on gRPC's address; else an address and port.</param>
    /// <param name="listen">Where gRPC listens.</param>
    /// <exception cref="CatalogException">InvalidArgument: no address and port, gRPC's own, or no port after gRPC's.</exception>
    public static IPEndPoint? ParseHttp(string? text, IPEndPoint listen)
    {
        if (text == "off")
        {
            return null;
        }

        if (text is null && listen.Port == IPEndPoint.MaxPort)
        {
            throw CatalogException.Invalid($"No port comes after {listen.Port} for JSON: give --http another one, or 'off'.");
        }

        var http = text is null ? new IPEndPoint(listen.Address, listen.Port == 0 ? 0 : listen.Port + 1)
            : ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) ? new IPEndPoint(listen.Address, port)
            : ParseEndpoint("--http", text);
        return http.Port == 0 || !http.Equals(listen)
            ? http
            : throw CatalogException.Invalid(
                $"--http {text} is gRPC's own port, and without TLS one port cannot serve both: give another one, or 'off'.");
    }

    /// <exception cref="CatalogException">InvalidArgument: out of range.</exception>
    public static TimeSpan ParseDrain(double seconds) => seconds is >= 0 and <= MaxDrain
        ? TimeSpan.FromSeconds(seconds)
        : throw CatalogException.Invalid($"--drain {seconds}: allowed are 0 to {MaxDrain} seconds.");
}
