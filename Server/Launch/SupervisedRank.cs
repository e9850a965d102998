using System.Runtime.InteropServices;
using Recsys.Torch.Distributed;

namespace Recsys.Server.Launch;

/// <summary>A rank's side of its supervisor: when that one is gone, however it went, the rank ends too.</summary>
internal static class SupervisedRank
{
    /// <summary>Set by the supervisor alone.</summary>
    public const string Variable = "RECSYS_SUPERVISED";

    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    /// <summary>Starts to watch, where this process is such a rank.</summary>
    public static void Watch()
    {
        if (Environment.GetEnvironmentVariable(Variable) != "1")
        {
            return;
        }

        new Thread(() =>
        {
            var input = Console.OpenStandardInput();
            var nothing = new byte[64];
            while (input.Read(nothing) > 0)
            {
            }

            ProcessSignal.Send(Environment.ProcessId, PosixSignal.SIGTERM);
            Thread.Sleep(Grace);
            System.Diagnostics.Process.GetCurrentProcess().Kill();
        }) { IsBackground = true, Name = "supervisor watch" }.Start();
    }
}
