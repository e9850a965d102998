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

    public static int Of(Exception exception) => exception switch
    {
        CatalogException e => e.Fault switch
        {
            Fault.InvalidArgument => InvalidArgument,
            Fault.NotFound => NotFound,
            Fault.FailedPrecondition => Precondition,
            Fault.DataLoss => DataLoss,
            Fault.Unavailable => Unavailable,
            Fault.ResourceExhausted => ResourceExhausted,
            _ => Unexpected,
        },
        RpcException e => e.StatusCode switch
        {
            StatusCode.InvalidArgument => InvalidArgument,
            StatusCode.NotFound => NotFound,
            StatusCode.FailedPrecondition => Precondition,
            StatusCode.DataLoss => DataLoss,
            StatusCode.Unavailable or StatusCode.DeadlineExceeded => Unavailable,
            StatusCode.ResourceExhausted => ResourceExhausted,
            StatusCode.Cancelled => Cancelled,
            _ => Unexpected,
        },
        GateException => GateFailed,
        TorchException => Precondition,
        OperationCanceledException => Cancelled,
        MpiException or TypeInitializationException or DllNotFoundException => Missing,
        _ => Unexpected,
    };
}
