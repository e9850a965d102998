using System.Diagnostics;

namespace Recsys.Catalog;

/// <summary>
/// Named points in the code where a crash would be worst. Tests arm them to throw; the environment variable
/// <c>RECSYS_KILL_AT=name</c> (or <c>name:3</c>, the third time) makes the process kill itself there, as kill -9 would.
/// Unarmed, a point costs one field read.
/// </summary>
public static class FaultPoints
{
    private static readonly AsyncLocal<Action<string>?> Armed = new();
    private static readonly (string Name, int Times)? KillAt = Parse(Environment.GetEnvironmentVariable("RECSYS_KILL_AT"));
    private static int _passed;

    // Stays false in production, where an AsyncLocal is then never looked at.
    private static bool _everArmed;

    /// <summary>Passes a point; what is armed there happens.</summary>
    public static void Pass(string name)
    {
        if (KillAt is { } kill && kill.Name == name && Interlocked.Increment(ref _passed) == kill.Times)
        {
            Process.GetCurrentProcess().Kill();
        }

        if (Volatile.Read(ref _everArmed))
        {
            Armed.Value?.Invoke(name);
        }
    }

    /// <summary>Calls <paramref name="handler"/> at every point that this flow of control passes, until the result is disposed.</summary>
    public static IDisposable Arm(Action<string> handler)
    {
        Volatile.Write(ref _everArmed, true);
        var before = Armed.Value;
        Armed.Value = handler;
        return new Disarm(before);
    }

    private static (string, int)? Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        int colon = text.LastIndexOf(':');
        return colon > 0 && int.TryParse(text.AsSpan(colon + 1), out int times) ? (text[..colon], times) : (text, 1);
    }

    private sealed class Disarm(Action<string>? before) : IDisposable
    {
        public void Dispose() => Armed.Value = before;
    }
}
