using Grpc.Core;
using Grpc.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;

namespace Grpc.AspNetCore.Server;

/// <summary>Makes request delegates that run calls from the first header to the last trailer.</summary>
internal sealed class GrpcRequest(TimeProvider time, ILogger logger)
{
    public RequestDelegate Handle(IMethod method, MethodOptions options, Func<HttpContextServerCallContext, Task> handler) => http =>
    {
        if (!IsGrpc(http)) return Task.CompletedTask;
        LiftBodyLimits(http, method.Type);
        return RunAsync(new HttpContextServerCallContext(http, method, options, time, logger), handler);
    };

    private static async Task RunAsync(HttpContextServerCallContext call, Func<HttpContextServerCallContext, Task> handler)
    {
        Exception? failure = null;
        try
        {
            call.Start();
            await handler(call);
        }
        catch (Exception exception)
        {
            failure = exception;
        }
        await call.EndAsync(failure);
    }

    /// <summary>Answers UNIMPLEMENTED.</summary>
    public RequestDelegate Unimplemented(string what) => http =>
    {
        if (!IsGrpc(http)) return Task.CompletedTask;
        GrpcLog.RequestRefused(logger, $"{what} '{http.Request.Path}' is unimplemented.");
        http.Response.ContentType = Headers.ContentType;
        http.Response.Headers[Headers.Status] = ((int)StatusCode.Unimplemented).ToString();
        http.Response.Headers[Headers.Message] = PercentEncoding.Encode($"{what} is unimplemented.");
        return Task.CompletedTask;
    };

    private bool IsGrpc(HttpContext http)
    {
        if (!HttpProtocol.IsHttp2(http.Request.Protocol) && !HttpProtocol.IsHttp3(http.Request.Protocol))
        {
            Refuse(http, StatusCodes.Status426UpgradeRequired, $"Request protocol '{http.Request.Protocol}' is not supported: gRPC needs HTTP/2.");
            http.Response.Headers.Upgrade = "h2c";
            return false;
        }
        if (!Headers.IsGrpcContentType(http.Request.ContentType))
        {
            Refuse(http, StatusCodes.Status415UnsupportedMediaType, $"Content-Type '{http.Request.ContentType}' is not supported: gRPC needs application/grpc.");
            return false;
        }
        return true;
    }

    private void Refuse(HttpContext http, int httpStatus, string reason)
    {
        GrpcLog.RequestRefused(logger, reason);
        http.Response.StatusCode = httpStatus;
        http.Response.Headers[Headers.Status] = ((int)StatusCode.Internal).ToString();
        http.Response.Headers[Headers.Message] = PercentEncoding.Encode(reason);
    }

    /// <summary>Message sizes are limited one by one; a stream may be long, and may pause.</summary>
    private static void LiftBodyLimits(HttpContext http, MethodType type)
    {
        // By the indexer: Get is a generic virtual method, which is found anew at each call.
        if (http.Features[typeof(IHttpMaxRequestBodySizeFeature)] is IHttpMaxRequestBodySizeFeature { IsReadOnly: false } size) size.MaxRequestBodySize = null;
        if (type is MethodType.ClientStreaming or MethodType.DuplexStreaming && http.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }
    }
}
