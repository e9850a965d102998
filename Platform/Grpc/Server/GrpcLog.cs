using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Grpc.AspNetCore.Server;

/// <summary>What the server logs, in category "Grpc.AspNetCore.Server".</summary>
internal static partial class GrpcLog
{
    public const string Category = "Grpc.AspNetCore.Server";

    [LoggerMessage(1, LogLevel.Error, "Error when executing service method '{Method}'.", EventName = "ErrorExecutingServiceMethod")]
    public static partial void ErrorExecutingServiceMethod(ILogger logger, string method, Exception exception);

    [LoggerMessage(2, LogLevel.Information, "Service method '{Method}' answers {StatusCode}: {Detail}", EventName = "RpcError")]
    public static partial void RpcError(ILogger logger, string method, StatusCode statusCode, string detail, Exception? exception);

    [LoggerMessage(3, LogLevel.Debug, "Deadline of {Timeout} exceeded in '{Method}'.", EventName = "DeadlineExceeded")]
    public static partial void DeadlineExceeded(ILogger logger, TimeSpan timeout, string method);

    [LoggerMessage(4, LogLevel.Debug, "The client cancelled '{Method}' or went away.", EventName = "CallCancelled")]
    public static partial void CallCancelled(ILogger logger, string method);

    [LoggerMessage(5, LogLevel.Debug, "Request refused: {Reason}", EventName = "RequestRefused")]
    public static partial void RequestRefused(ILogger logger, string reason);

    [LoggerMessage(6, LogLevel.Error, "Trailer '{Key}' of '{Method}' has characters that cannot be sent.", EventName = "UnsendableTrailer")]
    public static partial void UnsendableTrailer(ILogger logger, string key, string method);

    [LoggerMessage(7, LogLevel.Error, "The answer of '{Method}' could not be ended.", EventName = "ErrorEndingCall")]
    public static partial void ErrorEndingCall(ILogger logger, string method, Exception exception);

    [LoggerMessage(8, LogLevel.Debug, "Service method '{Method}' failed after its call had ended.", EventName = "ErrorAfterEnd")]
    public static partial void ErrorAfterEnd(ILogger logger, string method, Exception exception);
}
