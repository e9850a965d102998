using System.Runtime.InteropServices;

namespace Recsys.Torch.Distributed;

/// <summary>Signals to other processes, which the runtime's own library cannot send.</summary>
public static class ProcessSignal
{
    private const int NoSuchProcess = 3;

    /// <summary>Sends SIGTERM, SIGINT or SIGHUP.</summary>
    /// <returns>Whether the process was there.</returns>
    public static bool Send(int process, PosixSignal signal)
    {
        int number = signal switch
        {
            PosixSignal.SIGHUP => 1,
            PosixSignal.SIGINT => 2,
            PosixSignal.SIGTERM => 15,
            _ => throw new ArgumentOutOfRangeException(nameof(signal), signal, "SIGHUP, SIGINT and SIGTERM can be sent."),
        };
        if (Kill(process, number) == 0)
        {
            return true;
        }

        int error = Marshal.GetLastSystemError();
        return error == NoSuchProcess ? false : throw new InvalidOperationException($"{signal} could not be sent to process {process}: error {error}.");
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);
}
