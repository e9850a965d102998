using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Http;

namespace Grpc.Core;

public static class ServerCallContextExtensions
{
    /// <summary>The HTTP request that carries the call.</summary>
    public static HttpContext GetHttpContext(this ServerCallContext serverCallContext) =>
        serverCallContext is HttpContextServerCallContext hosted
            ? hosted.HttpContext
            : throw new InvalidOperationException($"A {serverCallContext?.GetType().Name ?? "null"} was not made by this server, so it has no HttpContext.");
}
