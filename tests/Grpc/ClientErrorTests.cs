using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Recsys.Grpc.Tests.Hosting;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests;

public sealed class ClientErrorTests
{
    private static async Task<RpcException> FailAsync(RequestDelegate answer)
    {
        await using EchoHost host = await EchoHost.StartAsync(map: app => app.Use(next => http => http.Request.Path == "/recsys.test.Echo/Unary" ? answer(http) : next(http)));
        return await Assert.ThrowsAsync<RpcException>(async () => await host.Client().UnaryAsync(new EchoRequest()));
    }

    [Fact]
    public async Task Refused_connection_is_unavailable()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        using GrpcChannel channel = GrpcChannel.ForAddress($"http://127.0.0.1:{port}");
        RpcException failure = await Assert.ThrowsAsync<RpcException>(async () => await new Echo.EchoClient(channel).UnaryAsync(new EchoRequest()));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> call = new Echo.EchoClient(channel).Duplex();
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => call.RequestStream.WriteAsync(new EchoRequest()))).StatusCode);
    }

    [Theory]
    [InlineData(400, StatusCode.Internal)]
    [InlineData(401, StatusCode.Unauthenticated)]
    [InlineData(403, StatusCode.PermissionDenied)]
    [InlineData(404, StatusCode.Unimplemented)]
    [InlineData(429, StatusCode.Unavailable)]
    [InlineData(502, StatusCode.Unavailable)]
    [InlineData(503, StatusCode.Unavailable)]
    [InlineData(504, StatusCode.Unavailable)]
    [InlineData(500, StatusCode.Unknown)]
    public async Task Http_status_becomes_a_status(int http, StatusCode status)
    {
        RpcException failure = await FailAsync(context => { context.Response.StatusCode = http; return Task.CompletedTask; });
        Assert.Equal(status, failure.StatusCode);
    }

    [Fact]
    public async Task Answer_that_is_not_grpc_is_unknown()
    {
        RpcException failure = await FailAsync(context => context.Response.WriteAsync("<html>"));
        Assert.Equal(StatusCode.Unknown, failure.StatusCode);
    }

    [Fact]
    public async Task Answer_without_a_status_is_unknown()
    {
        RpcException failure = await FailAsync(context => { context.Response.ContentType = "application/grpc"; return Task.CompletedTask; });
        Assert.Equal((StatusCode.Unknown, "No grpc-status found on response."), (failure.StatusCode, failure.Status.Detail));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task One_response_means_exactly_one(int count)
    {
        RpcException failure = await FailAsync(async context =>
        {
            context.Response.ContentType = "application/grpc";
            for (int i = 0; i < count; i++) await context.Response.BodyWriter.WriteAsync(new byte[5]);
            context.Response.AppendTrailer("grpc-status", "0");
        });
        Assert.Equal(StatusCode.Internal, failure.StatusCode);
    }

    [Fact]
    public async Task Connection_that_breaks_in_an_answer_is_an_error()
    {
        RpcException failure = await FailAsync(async context =>
        {
            context.Response.ContentType = "application/grpc";
            await context.Response.BodyWriter.WriteAsync(new byte[] { 0, 0, 0, 0, 9, 1 });
            context.Abort();
        });
        Assert.Contains(failure.StatusCode, new[] { StatusCode.Internal, StatusCode.Unavailable, StatusCode.Cancelled });
    }

    [Fact]
    public async Task Status_beyond_the_known_ones_is_unknown()
    {
        RpcException failure = await FailAsync(context =>
        {
            context.Response.ContentType = "application/grpc";
            context.Response.Headers["grpc-status"] = "77";
            context.Response.Headers["grpc-message"] = "strange%2C%zz";
            return Task.CompletedTask;
        });
        Assert.Equal((StatusCode.Unknown, "strange,%zz"), (failure.StatusCode, failure.Status.Detail));
    }

    [Fact]
    public void Address_and_options_are_checked()
    {
        Assert.Throws<ArgumentException>(() => GrpcChannel.ForAddress(new Uri("/x", UriKind.Relative)));
        Assert.Throws<InvalidOperationException>(() => GrpcChannel.ForAddress("ftp://x", new GrpcChannelOptions { Credentials = ChannelCredentials.Insecure }));
        Assert.Throws<InvalidOperationException>(() => GrpcChannel.ForAddress("http://x", new GrpcChannelOptions { Credentials = ChannelCredentials.SecureSsl }));
        Assert.Throws<ArgumentException>(() => ChannelCredentials.Create(ChannelCredentials.Insecure, CallCredentials.FromInterceptor((_, _) => Task.CompletedTask)));
    }

    [Fact]
    public async Task Call_credentials_add_their_metadata()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        CallCredentials token = CallCredentials.FromInterceptor((context, metadata) =>
        {
            metadata.Add("x-token", context.MethodName);
            return Task.CompletedTask;
        });
        using AsyncUnaryCall<EchoResponse> call = host.Client(options => options.UnsafeUseInsecureChannelCallCredentials = true)
            .UnaryAsync(new EchoRequest(), new CallOptions().WithCredentials(token));
        Assert.Equal("Unary", (await call.ResponseHeadersAsync).GetValue("x-token"));
        await call;
    }
}
