using System.Diagnostics;
using System.Globalization;

namespace Recsys.Catalog;

/// <summary>
/// Named points in the code where a crash would be worst. Tests arm them to throw; the environment variable
/// <c>RECSYS_KILL_AT=name</c> (or <c>name:3</c>, the third time) makes the process kill itself there, as kill -9 would.
/// Unarmed, a point costs two field reads.
/// </summary>
public static class FaultPoints
{
    private static readonly AsyncLocal<Action<string>?> Armed = new();
    private static readonly string[] KillAt = (Environment.GetEnvironmentVariable("RECSYS_KILL_AT") ?? "").Split(':');
    private static readonly int KillTime = KillAt.Length > 1 ? int.Parse(KillAt[1], CultureInfo.InvariantCulture) : 1;
    private static int _passed;

    /// <summary>Passes a point; what is armed there happens.</summary>
    public static void Pass(string name)
    {
        if (KillAt[0] == name && Interlocked.Increment(ref _passed) == KillTime)
        {
            Process.GetCurrentProcess().Kill();
        }

        Armed.Value?.Invoke(name);
    }

    /// <summary>Calls <paramref name="handler"/> at every point that this flow of control passes, until the result is disposed.</summary>
    public static IDisposable Arm(Action<string> handler)
    {
        var before = Armed.Value;
        Armed.Value = handler;
        return new Disarm(before);
    }

    private sealed class Disarm(Action<string>? before) : IDisposable
    {
        public void Dispose() => Armed.Value = before;
    }
}
