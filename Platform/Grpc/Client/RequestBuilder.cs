using System.Globalization;
using System.Net;
using Grpc.Core;
using Grpc.Net.Compression;
using Grpc.Wire;

namespace Grpc.Net.Client;

/// <summary>The HTTP/2 request of a call: path, protocol headers, metadata, credentials.</summary>
internal static class RequestBuilder
{
    private const string UserAgent = "grpc-recsys-dotnet/0.1";

    private const string PreviousAttempts = "grpc-previous-rpc-attempts";

    public static HttpRequestMessage Build(
        ClientCall call, IMethod method, string? host, ICompressionProvider? compression, Metadata metadata, Uri uri, int previousAttempts)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, uri)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.TryAddWithoutValidation("TE", "trailers");
        request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
        request.Headers.TryAddWithoutValidation(Headers.AcceptEncoding, call.Channel.Codecs.AcceptEncoding);
        if (compression is not null) request.Headers.TryAddWithoutValidation(Headers.Encoding, compression.EncodingName);
        if (call.Deadline is { } deadline) request.Headers.TryAddWithoutValidation(Headers.Timeout, TimeoutHeader.Format(deadline - DateTime.UtcNow));
        if (!string.IsNullOrEmpty(host)) request.Headers.Host = host;
        if (previousAttempts > 0) request.Headers.TryAddWithoutValidation(PreviousAttempts, previousAttempts.ToString(CultureInfo.InvariantCulture));
        for (int i = 0; i < metadata.Count; i++)
        {
            Metadata.Entry entry = metadata[i];
            if (entry.Key == Headers.InternalEncodingRequest) continue;
            if (Headers.IsProtocolHeader(entry.Key))
            {
                throw new RpcException(new Status(StatusCode.Internal, $"Metadata key '{entry.Key}' belongs to the protocol and cannot be set."));
            }
            if (!Headers.IsSendable(entry))
            {
                throw new RpcException(new Status(StatusCode.Internal, $"Metadata '{entry.Key}' has characters that cannot be sent; use a '-bin' key."));
            }
            request.Headers.TryAddWithoutValidation(entry.Key, Headers.ToHeaderValue(entry));
        }
        return request;
    }

    /// <summary>The call's metadata, and what its credentials and the channel's add.</summary>
    public static ValueTask<Metadata> WithCredentialsAsync(ClientCall call, IMethod method)
    {
        (CallCredentials? ofChannel, CallCredentials? own) = (call.Channel.Options.Credentials?.CallCredentials, call.Options.Credentials);
        Metadata headers = call.Options.Headers ?? Metadata.Empty;
        return !call.Channel.SendsCallCredentials || (ofChannel is null && own is null) ? new(headers) : new(ApplyAsync(call, method, headers, [ofChannel, own]));
    }

    private static async Task<Metadata> ApplyAsync(ClientCall call, IMethod method, Metadata headers, CallCredentials?[] credentials)
    {
        var all = new Metadata();
        foreach (Metadata.Entry entry in headers) all.Add(entry);
        var context = new AuthInterceptorContext(
            new Uri(call.Channel.ServiceUrl, method.ServiceName).ToString(), method.Name, call.Cancellation);
        foreach (CallCredentials? part in credentials)
        {
            if (part is not null) await part.ApplyAsync(context, all).ConfigureAwait(false);
        }
        return all;
    }
}
