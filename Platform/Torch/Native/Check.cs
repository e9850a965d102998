using System.Text;
using static Recsys.Torch.Native.Exports;

namespace Recsys.Torch.Native;

/// <summary>Turns a status into nothing or into one <see cref="TorchException"/>.</summary>
internal static unsafe class Check
{
    internal static void Ok(Status status, string what)
    {
        if (status != Status.Ok)
        {
            throw Failure(status, what, null);
        }
    }

    internal static TorchException Failure(Status status, string what, string? arguments)
    {
        var reason = LastError();
        return new TorchException(Fault(status, reason), $"{what}{(arguments is null ? "" : $"({arguments})")}: {reason}", what);
    }

    private static TorchFault Fault(Status status, string reason) => status switch
    {
        // libtorch's allocators throw its general error type.
        Status.Torch when reason.Contains("allocate memory", StringComparison.Ordinal) || reason.Contains("out of memory", StringComparison.Ordinal) => TorchFault.Memory,
        Status.Index => TorchFault.Index,
        Status.Type or Status.Argument => TorchFault.Argument,
        Status.Unsupported => TorchFault.Unsupported,
        Status.Memory => TorchFault.Memory,
        Status.Torch or Status.Standard => TorchFault.Operator,
        _ => TorchFault.Unknown,
    };

    private static string LastError()
    {
        var length = rs_last_error(null, 0);
        var bytes = new byte[length];
        fixed (byte* p = bytes)
        {
            rs_last_error(p, length);
        }

        return Encoding.UTF8.GetString(bytes).Trim();
    }
}
