using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;
using Grpc.Wire;

namespace Grpc.Net.Client;

/// <summary>Reads headers, trailers and status of an answer.</summary>
internal static class ResponseMetadata
{
    /// <summary>The status of an answer that holds no messages: trailers only, no gRPC at all, or an HTTP error. Else null.</summary>
    public static Status? RefusalOf(HttpResponseMessage answer)
    {
        if (StatusIn(answer.Headers) is { } inHeaders) return inHeaders.StatusCode == StatusCode.OK ? null : inHeaders;
        if (answer.StatusCode != HttpStatusCode.OK)
        {
            return new Status(ClientErrors.FromHttpStatus(answer.StatusCode), $"Bad gRPC response. HTTP status code: {(int)answer.StatusCode}");
        }
        string? contentType = answer.Content.Headers.NonValidated.TryGetValues("Content-Type", out HeaderStringValues values) ? values.ToString() : null;
        if (!Wire.Headers.IsGrpcContentType(contentType))
        {
            return new Status(StatusCode.Unknown, $"Bad gRPC response. Invalid content-type value: {contentType ?? "none"}");
        }
        return null;
    }

    /// <summary>Status and trailers after the last message, in one pass.</summary>
    public static (Status Status, Metadata Trailers) ReadEnd(HttpResponseMessage answer)
    {
        Metadata? trailers = null;
        string? code = null, message = null;
        foreach ((string name, HeaderStringValues values) in answer.TrailingHeaders.NonValidated)
        {
            if (name.Equals(Wire.Headers.Status, StringComparison.OrdinalIgnoreCase)) code = First(values);
            else if (name.Equals(Wire.Headers.Message, StringComparison.OrdinalIgnoreCase)) message = First(values);
            else if (!Wire.Headers.IsProtocolHeader(name)) Add(ref trailers, name, values);
        }
        if (code is null && StatusIn(answer.Headers) is { } inHeaders) return (inHeaders, ReadTrailersOnly(answer));
        return (code is null ? new Status(StatusCode.Unknown, "No grpc-status found on response.") : ToStatus(code, message), trailers?.Freeze() ?? Metadata.Empty);
    }

    /// <summary>Metadata without the protocol's own headers.</summary>
    public static Metadata Read(HttpResponseHeaders headers)
    {
        Metadata? metadata = null;
        foreach ((string name, HeaderStringValues values) in headers.NonValidated)
        {
            if (!Wire.Headers.IsProtocolHeader(name)) Add(ref metadata, name, values);
        }
        return metadata?.Freeze() ?? Metadata.Empty;
    }

    /// <summary>The trailers of an answer that is nothing else: its headers without those of its HTTP server.</summary>
    public static Metadata ReadTrailersOnly(HttpResponseMessage answer)
    {
        var trailers = new Metadata();
        foreach (Metadata.Entry entry in Read(answer.Headers))
        {
            if (entry.Key is not ("date" or "server")) trailers.Add(entry);
        }
        return trailers.Freeze();
    }

    public static string? First(HttpResponseHeaders headers, string name) =>
        headers.NonValidated.TryGetValues(name, out HeaderStringValues values) ? First(values) : null;

    private static string? First(HeaderStringValues values)
    {
        foreach (string value in values) return value;
        return null;
    }

    private static void Add(ref Metadata? metadata, string name, HeaderStringValues values)
    {
        foreach (string value in values) Wire.Headers.AddReceived(metadata ??= [], name, value);
    }

    private static Status? StatusIn(HttpResponseHeaders headers) =>
        First(headers, Wire.Headers.Status) is { } code ? ToStatus(code, First(headers, Wire.Headers.Message)) : null;

    private static Status ToStatus(string text, string? message)
    {
        string detail = message is null ? "" : PercentEncoding.Decode(message);
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int code)
            ? new Status(code <= (int)StatusCode.Unauthenticated ? (StatusCode)code : StatusCode.Unknown, detail)
            : new Status(StatusCode.Unknown, $"Unexpected grpc-status '{text}'. {detail}");
    }
}
