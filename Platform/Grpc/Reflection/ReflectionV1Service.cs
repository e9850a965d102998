using Grpc.Core;
using Grpc.Reflection.V1;

namespace Grpc.Reflection;

/// <summary>Server reflection, v1 of the protocol.</summary>
public sealed class ReflectionV1Service(SymbolIndex symbols) : ServerReflection.ServerReflectionBase
{
    public override async Task ServerReflectionInfo(IAsyncStreamReader<ServerReflectionRequest> requestStream,
        IServerStreamWriter<ServerReflectionResponse> responseStream, ServerCallContext context)
    {
        await foreach (ServerReflectionRequest request in requestStream.ReadAllAsync(context.CancellationToken))
        {
            ServerReflectionResponse response = Answer(request);
            response.ValidHost = request.Host;
            response.OriginalRequest = request;
            await responseStream.WriteAsync(response, context.CancellationToken);
        }
    }

    private ServerReflectionResponse Answer(ServerReflectionRequest request) => request.MessageRequestCase switch
    {
        ServerReflectionRequest.MessageRequestOneofCase.ListServices => new()
        {
            ListServicesResponse = new ListServiceResponse { Service = { symbols.ServiceNames.Select(name => new ServiceResponse { Name = name }) } },
        },
        ServerReflectionRequest.MessageRequestOneofCase.FileByFilename => Files(symbols.FileByName(request.FileByFilename), request.FileByFilename),
        ServerReflectionRequest.MessageRequestOneofCase.FileContainingSymbol => Files(symbols.FileBySymbol(request.FileContainingSymbol), request.FileContainingSymbol),
        ServerReflectionRequest.MessageRequestOneofCase.AllExtensionNumbersOfType when symbols.HasMessage(request.AllExtensionNumbersOfType) => new()
        {
            AllExtensionNumbersResponse = new ExtensionNumberResponse { BaseTypeName = request.AllExtensionNumbersOfType },
        },
        ServerReflectionRequest.MessageRequestOneofCase.AllExtensionNumbersOfType => NotFound(request.AllExtensionNumbersOfType),
        ServerReflectionRequest.MessageRequestOneofCase.FileContainingExtension => NotFound(request.FileContainingExtension.ContainingType),
        _ => Error(StatusCode.InvalidArgument, "The request names nothing to look up."),
    };

    private static ServerReflectionResponse Files(IReadOnlyList<Google.Protobuf.ByteString>? files, string wanted) => files is null
        ? NotFound(wanted)
        : new ServerReflectionResponse { FileDescriptorResponse = new FileDescriptorResponse { FileDescriptorProto = { files } } };

    private static ServerReflectionResponse NotFound(string wanted) => Error(StatusCode.NotFound, $"'{wanted}' is not known here.");

    private static ServerReflectionResponse Error(StatusCode code, string message) =>
        new() { ErrorResponse = new ErrorResponse { ErrorCode = (int)code, ErrorMessage = message } };
}
