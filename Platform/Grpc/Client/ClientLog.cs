using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Grpc.Net.Client;

/// <summary>What a client logs, in category "Grpc.Net.Client".</summary>
internal static partial class ClientLog
{
    [LoggerMessage(1, LogLevel.Debug, "Call of '{Method}' ended with {StatusCode}. {Detail}", EventName = "CallEnded")]
    public static partial void CallEnded(ILogger logger, string method, StatusCode statusCode, string detail);
}
