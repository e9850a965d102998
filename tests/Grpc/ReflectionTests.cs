using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Reflection.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Recsys.Grpc.Tests.Hosting;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests;

public sealed class ReflectionTests
{
    private static Task<EchoHost> StartAsync() =>
        EchoHost.StartAsync(services: services => services.AddGrpcReflection(), map: app => app.MapGrpcReflectionService());

    private static async Task<ServerReflectionResponse> AskAsync(ServerReflectionRequest request)
    {
        await using EchoHost host = await StartAsync();
        using AsyncDuplexStreamingCall<ServerReflectionRequest, ServerReflectionResponse> call = new ServerReflection.ServerReflectionClient(host.Channel()).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(request);
        Assert.True(await call.ResponseStream.MoveNext());
        ServerReflectionResponse response = call.ResponseStream.Current;
        Assert.Equal(request, response.OriginalRequest);
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext());
        return response;
    }

    [Fact]
    public async Task Services_are_listed()
    {
        ServerReflectionResponse response = await AskAsync(new ServerReflectionRequest { ListServices = "" });
        Assert.Equal(["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection", "recsys.test.Echo"],
            response.ListServicesResponse.Service.Select(service => service.Name));
    }

    [Theory]
    [InlineData("recsys.test.Echo")]
    [InlineData("recsys.test.Echo.Unary")]
    [InlineData("recsys.test.EchoRequest")]
    [InlineData("recsys.test.EchoRequest.payload")]
    public async Task Symbol_leads_to_its_file(string symbol)
    {
        ServerReflectionResponse response = await AskAsync(new ServerReflectionRequest { FileContainingSymbol = symbol });
        ByteString file = Assert.Single(response.FileDescriptorResponse.FileDescriptorProto);
        Assert.Equal(EchoReflection.Descriptor.SerializedData, file);
        Assert.Equal("echo.proto", FileDescriptorProto.Parser.ParseFrom(file).Name);
    }

    [Fact]
    public async Task Unknown_symbols_and_files_are_not_found()
    {
        Assert.Equal((int)StatusCode.NotFound, (await AskAsync(new ServerReflectionRequest { FileContainingSymbol = "a.B" })).ErrorResponse.ErrorCode);
        Assert.Equal((int)StatusCode.NotFound, (await AskAsync(new ServerReflectionRequest { FileByFilename = "a.proto" })).ErrorResponse.ErrorCode);
        Assert.Equal((int)StatusCode.InvalidArgument, (await AskAsync(new ServerReflectionRequest())).ErrorResponse.ErrorCode);
    }
}
