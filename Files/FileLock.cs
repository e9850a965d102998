using Recsys.Catalog;

namespace Recsys.Files;

/// <summary>
/// A lock between processes on one machine (flock, by way of FileShare): the kernel frees it when its holder dies, however it dies.
/// Lock files stay behind, empty; removing one while another process waits for it would split the lock in two.
/// </summary>
public static class FileLock
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);

    private const int WouldBlock = 11; // EWOULDBLOCK of flock, as .NET passes it on
    private const int SharingViolation = unchecked((int)0x80070020); // Windows

    /// <summary>Waits for the exclusive lock.</summary>
    /// <exception cref="CatalogException">Unavailable: somebody else holds it for longer than <paramref name="patience"/>.</exception>
    public static FileStream Exclusive(string path, TimeSpan patience, TimeProvider time)
    {
        long start = time.GetTimestamp();
        while (true)
        {
            if (TryExclusive(path) is { } held)
            {
                return held;
            }

            if (time.GetElapsedTime(start) > patience)
            {
                throw CatalogException.Unavailable(
                    $"Another process has held the lock '{path}' for {patience.TotalSeconds:0.#} s. See who it is with: fuser {path}");
            }

            Thread.Sleep(Poll);
        }
    }

    /// <summary>The exclusive lock if nobody has it; else null.</summary>
    /// <exception cref="IOException">The lock file cannot be made: a full or read-only disk, a folder that is gone.</exception>
    public static FileStream? TryExclusive(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
        }
        catch (IOException error) when (error.HResult is WouldBlock or SharingViolation)
        {
            return null;
        }
    }
}
