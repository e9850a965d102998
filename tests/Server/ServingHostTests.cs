using System.Net;
using System.Text;
using System.Text.Json;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Recsys.Catalog;
using Recsys.Server.Serving;
using Recsys.V1;

namespace Recsys.Server.Tests;

/// <summary>The real server, over the wire, with folders that fail.</summary>
public sealed class ServingHostTests : IAsyncLifetime
{
    private readonly FakeFolders _folders = new();
    private readonly WebApplication _app;

    public ServingHostTests() => _app = ServingHost.Build(
        new ServeOptions("", null, new(IPAddress.Loopback, 0), new(IPAddress.Loopback, 0), TimeSpan.Zero),
        _folders, new FakeIds(), new FakeLive(), new FakeInteractions());

    public Task InitializeAsync() => _app.StartAsync();

    public async Task DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    public static TheoryData<Exception, StatusCode, HttpStatusCode> Faults => new()
    {
        { new OperationCanceledException(), StatusCode.Cancelled, HttpStatusCode.RequestTimeout }, // of itself gRPC answers UNKNOWN
        { new TaskCanceledException(), StatusCode.Cancelled, HttpStatusCode.RequestTimeout },
        { CatalogException.Damaged("torn"), StatusCode.DataLoss, HttpStatusCode.InternalServerError },
        { new InvalidOperationException("ours"), StatusCode.Unknown, HttpStatusCode.InternalServerError },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task What_a_handler_throws_reaches_the_client_as_its_status(Exception thrown, StatusCode code, HttpStatusCode status)
    {
        _folders.Throws = thrown;
        using var channel = GrpcChannel.ForAddress(_app.Urls.First());
        var call = new Versions.VersionsClient(channel).DescribeAsync(new DescribeVersionRequest { Version = "v1" });
        Assert.Equal(code, (await Assert.ThrowsAsync<RpcException>(async () => await call)).StatusCode);

        using var http = new HttpClient { BaseAddress = new Uri(_app.Urls.Last()) };
        using var body = new StringContent("""{ "version": "v1" }""", Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync("/v1/versions/describe", body);
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal((int)code, JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("code").GetInt32());
    }
}
