using System.Net;
using Grpc.Core;
using Grpc.Net.Compression;
using Grpc.Wire;

namespace Grpc.Net.Client;

/// <summary>The HTTP/2 request of a call: path, protocol headers, metadata, credentials.</summary>
internal static class RequestBuilder
{
    private const string UserAgent = "grpc-recsys-dotnet/0.1";

    public static async Task<HttpRequestMessage> BuildAsync(ClientCall call, IMethod method, string? host, ICompressionProvider? compression)
    {
        Metadata metadata = await WithCredentialsAsync(call, method).ConfigureAwait(false);
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(call.Channel.Address, method.FullName))
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
        foreach (Metadata.Entry entry in metadata)
        {
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

    private static async Task<Metadata> WithCredentialsAsync(ClientCall call, IMethod method)
    {
        Metadata headers = call.Options.Headers ?? Metadata.Empty;
        CallCredentials?[] credentials = [call.Channel.Options.Credentials?.CallCredentials, call.Options.Credentials];
        if (!call.Channel.SendsCallCredentials || credentials.All(part => part is null)) return headers;
        var all = new Metadata();
        foreach (Metadata.Entry entry in headers) all.Add(entry);
        var context = new AuthInterceptorContext(
            new Uri(call.Channel.Address, method.ServiceName).ToString(), method.Name, call.Cancellation);
        foreach (CallCredentials? part in credentials)
        {
            if (part is not null) await part.ApplyAsync(context, all).ConfigureAwait(false);
        }
        return all;
    }
}
