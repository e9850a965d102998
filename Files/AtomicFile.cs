using System.Diagnostics;
using Recsys.Catalog;

namespace Recsys.Files;

/// <summary>Files that are there in full or not at all: written beside, fsynced, renamed.</summary>
public static class AtomicFile
{
    /// <summary>Writes <paramref name="path"/> through a temporary file beside it; a failed write leaves the old content.</summary>
    public static void Write(string path, Action<Stream> write)
    {
        string temporary = $"{path}.{Environment.ProcessId}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
            SyncFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Writes text as UTF-8 without a byte order mark.</summary>
    public static void WriteText(string path, string text) =>
        Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)));

    /// <summary>
    /// Makes the names in a folder durable. The runtime refuses handles of folders, so this asks coreutils' <c>sync</c>, which
    /// calls fsync on what it is given; where that is missing (Windows), the rename itself is all there is.
    /// </summary>
    public static void SyncFolder(string folder)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        try
        {
            using var sync = Process.Start(new ProcessStartInfo("sync", [folder]) { RedirectStandardError = true });
            sync!.WaitForExit();
            if (sync.ExitCode != 0)
            {
                throw CatalogException.Unavailable($"fsync of folder '{folder}' failed: {sync.StandardError.ReadToEnd().Trim()}");
            }
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // No coreutils (a distroless container): the file itself is on disk, its name follows with the file system's own commit.
        }
    }
}
