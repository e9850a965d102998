using Grpc.Core;
using Recsys.Catalog;
using Recsys.Jobs.NightlyRebuild;
using Recsys.Mpi;
using Recsys.Torch;

namespace Recsys.Cli.Terminal;

/// <summary>What the process says to a script; documented in docs/command-line.md.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Unexpected = 1;
    public const int Usage = 2;
    public const int InvalidArgument = 3;
    public const int NotFound = 4;
    public const int Precondition = 5;
    public const int DataLoss = 6;
    public const int Unavailable = 7;
    public const int ResourceExhausted = 8;
    public const int GateFailed = 9;
    public const int Missing = 69;
    public const int Cancelled = 130;

    /// <summary>An error as it is told: the code, its kind in JSON, and a sentence.</summary>
    public static (int Code, string Kind, string Message) Of(Exception exception) => exception switch
    {
        CatalogException e => Named(e.Fault.ToString(), e.Message),
        RpcException e => Named(e.StatusCode.ToString(), e.Status.Detail),
        TorchException e => Named(nameof(Fault.FailedPrecondition), e.Message),
        OperationCanceledException => Named(nameof(StatusCode.Cancelled), "Cancelled."),
        GateException e => (GateFailed, "GateFailed", e.Message),
        MpiException e => (Missing, nameof(Missing), e.Message),
        TypeInitializationException or DllNotFoundException =>
            (Missing, nameof(Missing), $"A native library does not load: {FirstLine(exception)} Run ./recsys doctor."),
        _ => (Unexpected, exception.GetType().Name, exception.Message),
    };

    // A fault has the name of its gRPC status.
    private static (int Code, string Kind, string Message) Named(string kind, string message) => (kind switch
    {
        nameof(Fault.InvalidArgument) => InvalidArgument,
        nameof(Fault.NotFound) => NotFound,
        nameof(Fault.FailedPrecondition) => Precondition,
        nameof(Fault.DataLoss) => DataLoss,
        nameof(Fault.Unavailable) or nameof(StatusCode.DeadlineExceeded) => Unavailable,
        nameof(Fault.ResourceExhausted) => ResourceExhausted,
        nameof(StatusCode.Cancelled) => Cancelled,
        _ => Unexpected,
    }, kind, message);

    private static string FirstLine(Exception exception) =>
        (exception.InnerException ?? exception).Message.ReplaceLineEndings("\n").Split('\n')[0];
}
