using Grpc.Core;
using Grpc.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace Grpc.AspNetCore.Server;

/// <summary>One call over one HTTP/2 request: the part that services see. Its life is in the other file.</summary>
internal sealed partial class HttpContextServerCallContext : ServerCallContext
{
    private readonly IMethod _method;
    private readonly ILogger _logger;
    private Metadata? _requestHeaders;
    private Metadata? _responseTrailers;
    private AuthContext? _authContext;

    public HttpContextServerCallContext(HttpContext http, IMethod method, MethodOptions options, TimeProvider time, ILogger logger)
    {
        (HttpContext, Options, _method, _time, _logger) = (http, options, method, time, logger);
        Reader = new MessageReader(http.Request.BodyReader, options.Codecs, options.MaxReceiveMessageSize)
        {
            Encoding = http.Request.Headers.GrpcEncoding,
        };
    }

    public HttpContext HttpContext { get; }

    public MethodOptions Options { get; }

    public MessageReader Reader { get; }

    protected override string MethodCore => _method.FullName;

    protected override string HostCore => HttpContext.Request.Host.Value ?? "";

    protected override string PeerCore => HttpContext.Connection.RemoteIpAddress switch
    {
        null => "unix:",
        { AddressFamily: System.Net.Sockets.AddressFamily.InterNetwork } address => $"ipv4:{address}:{HttpContext.Connection.RemotePort}",
        { } address => $"ipv6:[{address}]:{HttpContext.Connection.RemotePort}",
    };

    protected override DateTime DeadlineCore => _deadline;

    protected override CancellationToken CancellationTokenCore => _cancellation?.Token ?? HttpContext.RequestAborted;

    protected override Metadata RequestHeadersCore => _requestHeaders ??= ReadRequestHeaders();

    protected override Metadata ResponseTrailersCore => _responseTrailers ??= [];

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore => _authContext ??= PeerCertificate.ToAuthContext(HttpContext.Connection.ClientCertificate);

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
        new CallContextPropagationToken(this, options ?? ContextPropagationOptions.Default);

    protected override async Task WriteResponseHeadersAsyncCore(Metadata responseHeaders)
    {
        ArgumentNullException.ThrowIfNull(responseHeaders);
        BeginWrite();
        try
        {
            if (HttpContext.Response.HasStarted) throw new InvalidOperationException("Response headers can only be sent once per call, before the first message.");
            foreach (Metadata.Entry entry in responseHeaders)
            {
                if (entry.Key == Headers.InternalEncodingRequest)
                {
                    SetResponseEncoding(entry.Value);
                    continue;
                }
                Append(HttpContext.Response.Headers, entry);
            }
            await HttpContext.Response.StartAsync(HttpContext.RequestAborted);
            await HttpContext.Response.BodyWriter.FlushAsync(HttpContext.RequestAborted);
        }
        finally
        {
            EndWrite();
        }
    }

    private Metadata ReadRequestHeaders()
    {
        var headers = new Metadata();
        foreach ((string name, StringValues values) in HttpContext.Request.Headers)
        {
            if (Headers.IsProtocolHeader(name)) continue;
            foreach (string? value in values) Headers.AddReceived(headers, name, value ?? "");
        }
        return headers.Freeze();
    }
}
