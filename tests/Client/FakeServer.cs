using System.Net;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Recsys.V1;

namespace Recsys.Client.Tests;

/// <summary>A server over the wire that does what a test says, call by call.</summary>
internal sealed class FakeServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FakeServer(WebApplication app) => _app = app;

    public string Address => _app.Urls.Single();

    /// <summary>Calls so far.</summary>
    public int Calls => _app.Services.GetRequiredService<Answers>().Calls;

    /// <param name="answer">Answers the n-th call, from 1.</param>
    public static async Task<FakeServer> StartAsync(Func<int, RecommendRequest, ServerCallContext, Task<RecommendResponse>> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(new Answers(answer));
        var app = builder.Build();
        app.MapGrpcService<Answers>();
        await app.StartAsync();
        return new FakeServer(app);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private sealed class Answers(Func<int, RecommendRequest, ServerCallContext, Task<RecommendResponse>> answer) : Retrieval.RetrievalBase
    {
        private int _calls;

        public int Calls => _calls;

        public override Task<RecommendResponse> Recommend(RecommendRequest request, ServerCallContext context) =>
            answer(Interlocked.Increment(ref _calls), request, context);
    }
}
