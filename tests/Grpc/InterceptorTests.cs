using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.DependencyInjection;
using Recsys.Grpc.Tests.Hosting;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests;

public sealed class InterceptorTests
{
    private sealed class Diary : List<string>;

    private sealed class Writing(Diary diary, string name) : Interceptor
    {
        public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
            TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        {
            diary.Add($"{name} before {context.Method}");
            TResponse response = await base.UnaryServerHandler(request, context, continuation);
            diary.Add($"{name} after");
            return response;
        }

        public override async Task ServerStreamingServerHandler<TRequest, TResponse>(TRequest request, IServerStreamWriter<TResponse> responseStream,
            ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
        {
            diary.Add($"{name} stream");
            await continuation(request, responseStream, context);
        }

        public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(IAsyncStreamReader<TRequest> requestStream,
            ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
        {
            diary.Add($"{name} client stream");
            return continuation(requestStream, context);
        }

        public override Task DuplexStreamingServerHandler<TRequest, TResponse>(IAsyncStreamReader<TRequest> requestStream,
            IServerStreamWriter<TResponse> responseStream, ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation)
        {
            diary.Add($"{name} duplex");
            return continuation(requestStream, responseStream, context);
        }
    }

    private static Task<EchoHost> StartAsync(Diary diary) => EchoHost.StartAsync(
        options => { options.Interceptors.Add<Writing>("outer"); options.Interceptors.Add<Writing>("inner"); },
        services => services.AddSingleton(diary));

    [Fact]
    public async Task Server_interceptors_surround_the_service_first_registered_outermost()
    {
        var diary = new Diary();
        await using EchoHost host = await StartAsync(diary);
        await host.Client().UnaryAsync(new EchoRequest());
        Assert.Equal(["outer before /recsys.test.Echo/Unary", "inner before /recsys.test.Echo/Unary", "inner after", "outer after"], diary);
    }

    [Fact]
    public async Task Server_interceptors_see_all_call_kinds()
    {
        var diary = new Diary();
        await using EchoHost host = await StartAsync(diary);
        Echo.EchoClient client = host.Client();
        using AsyncServerStreamingCall<EchoResponse> server = client.ServerStream(new EchoRequest());
        Assert.False(await server.ResponseStream.MoveNext());
        using AsyncClientStreamingCall<EchoRequest, EchoResponse> clientCall = client.ClientStream();
        await clientCall.RequestStream.CompleteAsync();
        await clientCall;
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> duplex = client.Duplex();
        await duplex.RequestStream.CompleteAsync();
        Assert.False(await duplex.ResponseStream.MoveNext());
        Assert.Equal(["outer stream", "inner stream", "outer client stream", "inner client stream", "outer duplex", "inner duplex"], diary);
    }

    private sealed class Tagging(string tag) : Interceptor
    {
        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(TRequest request,
            ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
        {
            Metadata headers = context.Options.Headers ?? [];
            headers.Add("x-tag", tag);
            return continuation(request, new ClientInterceptorContext<TRequest, TResponse>(context.Method, context.Host, context.Options.WithHeaders(headers)));
        }
    }

    [Fact]
    public async Task Client_interceptors_run_in_order()
    {
        await using EchoHost host = await EchoHost.StartAsync();
        var client = new Echo.EchoClient(host.Channel().Intercept(new Tagging("a"), new Tagging("b")));
        using AsyncUnaryCall<EchoResponse> call = client.UnaryAsync(new EchoRequest());
        Assert.Equal("a, b", (await call.ResponseHeadersAsync).GetValue("x-tag"));
        await call;
    }
}
