using System.ComponentModel;
using System.Diagnostics;

namespace Recsys.Tests;

/// <summary>
/// A small file system in memory for one test, which gets full and can be made read-only. Permissions do not stop root; this does.
/// </summary>
public sealed class MountedFolder : IDisposable
{
    private static readonly Lazy<string?> Fault = new(Try);

    public MountedFolder(int kilobytes)
    {
        Path = Directory.CreateTempSubdirectory("recsys-mount-").FullName;
        Run("mount", "-t", "tmpfs", "-o", $"size={kilobytes}k", "tmpfs", Path);
    }

    /// <summary>Why nothing can be mounted here; null: it can.</summary>
    public static string? Missing => Fault.Value;

    public string Path { get; }

    public string this[string relative] => System.IO.Path.Combine(Path, relative);

    public void MakeReadOnly() => Run("mount", "-o", "remount,ro", Path);

    public void Dispose()
    {
        Run("umount", "-l", Path);
        Directory.Delete(Path);
    }

    private static string? Try()
    {
        try
        {
            new MountedFolder(4).Dispose();
            return null;
        }
        catch (Exception error) when (error is InvalidOperationException or Win32Exception)
        {
            return $"A file system can be mounted by root alone: {error.Message}";
        }
    }

    private static void Run(string tool, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(tool, arguments) { RedirectStandardError = true })!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{tool}: {error.Trim()}");
        }
    }
}

/// <summary>A fact that needs a file system of its own.</summary>
public sealed class MountFactAttribute : FactAttribute
{
    public MountFactAttribute() => Skip = MountedFolder.Missing;
}
