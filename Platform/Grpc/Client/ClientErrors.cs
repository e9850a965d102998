using System.Net;
using System.Net.Sockets;
using Grpc.Core;

namespace Grpc.Net.Client;

/// <summary>Statuses for what goes wrong below gRPC: connections, HTTP/2 error codes, HTTP status codes.</summary>
internal static class ClientErrors
{
    public static Status ToStatus(Exception exception)
    {
        if (exception is RpcException rpc) return rpc.Status;
        if (exception is OperationCanceledException) return new Status(StatusCode.Cancelled, "Call canceled by the client.", exception);
        for (Exception? inner = exception; inner is not null; inner = inner.InnerException)
        {
            if (inner is not HttpProtocolException protocol) continue;
            // The handler reports a ping without an answer as an error of the protocol; only its text, which names the option, tells them apart.
            return new Status(protocol.Message.Contains(nameof(SocketsHttpHandler.KeepAlivePingDelay), StringComparison.Ordinal)
                ? StatusCode.Unavailable : FromHttp2ErrorCode(protocol.ErrorCode), Describe(exception), exception);
        }
        return new Status(IsUnreachable(exception) ? StatusCode.Unavailable : StatusCode.Internal, Describe(exception), exception);
    }

    /// <summary>There was no connection, so nothing of the request was sent.</summary>
    public static bool IsConnectFailure(HttpRequestException exception) => exception.HttpRequestError is HttpRequestError.NameResolutionError
        or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError;

    /// <summary>For answers without a grpc-status.</summary>
    public static StatusCode FromHttpStatus(HttpStatusCode status) => status switch
    {
        HttpStatusCode.BadRequest => StatusCode.Internal,
        HttpStatusCode.Unauthorized => StatusCode.Unauthenticated,
        HttpStatusCode.Forbidden => StatusCode.PermissionDenied,
        HttpStatusCode.NotFound => StatusCode.Unimplemented,
        HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout =>
            StatusCode.Unavailable,
        _ => StatusCode.Unknown,
    };

    private static StatusCode FromHttp2ErrorCode(long code) => code switch
    {
        0x7 => StatusCode.Unavailable, // REFUSED_STREAM
        0x8 => StatusCode.Cancelled, // CANCEL
        0xB => StatusCode.ResourceExhausted, // ENHANCE_YOUR_CALM
        0xC => StatusCode.PermissionDenied, // INADEQUATE_SECURITY
        _ => StatusCode.Internal,
    };

    private static bool IsUnreachable(Exception exception) => exception switch
    {
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError
            or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError or HttpRequestError.ResponseEnded } => true,
        HttpRequestException { InnerException: { } inner } => IsUnreachable(inner),
        IOException or SocketException => true,
        _ => false,
    };

    private static string Describe(Exception exception) =>
        $"Error making the gRPC call. {exception.GetType().Name}: {exception.Message}"
        + (exception.InnerException is { } inner && !exception.Message.Contains(inner.Message, StringComparison.Ordinal)
            ? $" {inner.GetType().Name}: {inner.Message}"
            : "");
}
