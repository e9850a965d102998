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

    /// <summary>Status and trailers after the last message.</summary>
    public static (Status Status, Metadata Trailers) ReadEnd(HttpResponseMessage answer)
    {
        if (StatusIn(answer.TrailingHeaders) is { } status) return (status, Read(answer.TrailingHeaders));
        if (StatusIn(answer.Headers) is { } inHeaders) return (inHeaders, ReadTrailersOnly(answer));
        return (new Status(StatusCode.Unknown, "No grpc-status found on response."), Read(answer.TrailingHeaders));
    }

    /// <summary>Metadata without the protocol's own headers.</summary>
    public static Metadata Read(HttpResponseHeaders headers)
    {
        Metadata? metadata = null;
        foreach ((string name, HeaderStringValues values) in headers.NonValidated)
        {
            if (Wire.Headers.IsProtocolHeader(name)) continue;
            foreach (string value in values) Wire.Headers.AddReceived(metadata ??= [], name, value);
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

    public static string? First(HttpResponseHeaders headers, string name)
    {
        if (!headers.NonValidated.TryGetValues(name, out HeaderStringValues values)) return null;
        foreach (string value in values) return value;
        return null;
    }

    private static Status? StatusIn(HttpResponseHeaders headers)
    {
        if (First(headers, Wire.Headers.Status) is not { } text) return null;
        string detail = First(headers, Wire.Headers.Message) is { } message ? PercentEncoding.Decode(message) : "";
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int code)
            ? new Status(code <= (int)StatusCode.Unauthenticated ? (StatusCode)code : StatusCode.Unknown, detail)
            : new Status(StatusCode.Unknown, $"Unexpected grpc-status '{text}'. {detail}");
    }
}
