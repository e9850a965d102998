using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Grpc.Net.Client;

/// <summary>What a client logs, in category "Grpc.Net.Client".</summary>
internal static partial class ClientLog
{
    [LoggerMessage(1, LogLevel.Debug, "Call of '{Method}' ended with {StatusCode}. {Detail}", EventName = "CallEnded")]
    public static partial void CallEnded(ILogger logger, string method, StatusCode statusCode, string detail);

    [LoggerMessage(2, LogLevel.Debug, "Attempt {Attempt} of '{Method}' ended with {StatusCode}; the next one comes after {Pause}.", EventName = "CallRetried")]
    public static partial void CallRetried(ILogger logger, string method, StatusCode statusCode, int attempt, TimeSpan pause);
}
