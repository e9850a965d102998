using System.Text;
using System.Text.Json;
using Recsys.Catalog;
using Recsys.Files;

namespace Recsys.Store.Versions;

/// <summary>
/// A file with one JSON value a line, fsynced before a writer returns. Writers of all processes take turns by a lock file. A last line
/// that was torn by a crash is passed over by readers and cut off by the next writer.
/// </summary>
/// <param name="path">In a folder of its own kind, which is made where it is missing.</param>
/// <param name="accepts">Whether a line that is JSON of this kind says something.</param>
/// <param name="point">What the journal's fault points begin with.</param>
internal sealed class Journal<T>(string path, Func<T, bool> accepts, string point)
    where T : class
{
    private readonly string _folder = Path.GetDirectoryName(path)!;

    /// <summary>Bytes; 0 where nothing was noted.</summary>
    public long Length => new FileInfo(path) is { Exists: true } file ? file.Length : 0;

    /// <summary>Returns when all of them are on disk.</summary>
    public void Append(IReadOnlyList<T> values, TimeSpan patience, TimeProvider time)
    {
        using (Lock(patience, time))
        {
            bool isNew = !File.Exists(path);
            using (var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0))
            {
                long before = WholeLength(file);
                file.SetLength(before);
                file.Seek(0, SeekOrigin.End);
                byte[] lines = Lines(values);
                FaultPoints.Pass($"{point}.begin");
                try
                {
                    file.Write(lines.AsSpan(0, lines.Length / 2));
                    FaultPoints.Pass($"{point}.torn");
                    file.Write(lines.AsSpan(lines.Length / 2));
                    file.Flush(flushToDisk: true);
                }
                catch
                {
                    file.SetLength(before); // what is not surely on disk must not be found by the next reader
                    throw;
                }
            }

            if (isNew)
            {
                AtomicFile.SyncFolder(_folder);
                AtomicFile.SyncFolder(Path.GetDirectoryName(_folder)!);
            }
        }
    }

    /// <summary>What was noted, in order, read as it is asked for.</summary>
    /// <exception cref="CatalogException">DataLoss: a line is damaged that is not the last.</exception>
    public IEnumerable<T> Read()
    {
        if (!File.Exists(path))
        {
            yield break;
        }

        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        long left = file.Length; // what comes while this reads is for the next reader
        byte[] buffer = new byte[1 << 16];
        int filled = 0, damaged = 0;
        for (int number = 1; left > 0;)
        {
            if (filled == buffer.Length)
            {
                Array.Resize(ref buffer, 2 * buffer.Length); // a longer line
            }

            int read = file.Read(buffer.AsSpan(filled, (int)Math.Min(left, buffer.Length - filled)));
            (filled, left) = (filled + read, read == 0 ? 0 : left - read);
            int start = 0;
            for (int length; (length = buffer.AsSpan(start, filled - start).IndexOf((byte)'\n')) >= 0; start += length + 1, number++)
            {
                if (damaged > 0)
                {
                    throw Damaged(damaged);
                }

                if (TryParse(buffer.AsSpan(start, length)) is { } value)
                {
                    yield return value;
                }
                else
                {
                    damaged = number;
                }
            }

            buffer.AsSpan(start, filled - start).CopyTo(buffer);
            filled -= start;
        }

        if (damaged > 0 && filled > 0)
        {
            throw Damaged(damaged);
        }
    }

    private CatalogException Damaged(int line) => CatalogException.Damaged(
        $"'{path}', line {line} is damaged; only the last line may be (a crash while it was written). Restore the file from a backup.");

    /// <summary>Writes the journal anew where it is longer than this, with what is left of what it says.</summary>
    /// <param name="length">Bytes.</param>
    /// <returns>Its length now.</returns>
    public long Shorten(long length, Func<IEnumerable<T>, IReadOnlyList<T>> left, TimeSpan patience, TimeProvider time)
    {
        using (Lock(patience, time))
        {
            if (Length > length)
            {
                byte[] lines = Lines(left(Read()));
                AtomicFile.Write(path, stream => stream.Write(lines));
            }

            return Length;
        }
    }

    private FileStream Lock(TimeSpan patience, TimeProvider time)
    {
        Directory.CreateDirectory(_folder);
        return FileLock.Exclusive(Path.Combine(_folder, $".{Path.GetFileNameWithoutExtension(path)}.lock"), patience, time);
    }

    private static byte[] Lines(IReadOnlyList<T> values) =>
        Encoding.UTF8.GetBytes(string.Concat(values.Select(value => JsonSerializer.Serialize(value, Json.Lines) + "\n")));

    // The length up to the end of the last whole line; walks back over at most one torn one.
    private long WholeLength(FileStream file)
    {
        long end = file.Length;
        if (end == 0)
        {
            return 0;
        }

        long lastBreak = LastBreakBefore(file, end);
        if (lastBreak != end - 1)
        {
            return lastBreak + 1;
        }

        long lineStart = LastBreakBefore(file, lastBreak) + 1;
        var line = new byte[lastBreak - lineStart];
        file.Seek(lineStart, SeekOrigin.Begin);
        file.ReadExactly(line);
        return TryParse(line) is null ? lineStart : end;
    }

    // Position of the last line break before a position; -1 without one.
    private static long LastBreakBefore(FileStream file, long before)
    {
        Span<byte> block = stackalloc byte[4096];
        while (before > 0)
        {
            int size = (int)Math.Min(block.Length, before);
            file.Seek(before - size, SeekOrigin.Begin);
            file.ReadExactly(block[..size]);
            int at = block[..size].LastIndexOf((byte)'\n');
            if (at >= 0)
            {
                return before - size + at;
            }

            before -= size;
        }

        return -1;
    }

    private T? TryParse(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(utf8, Json.Lines) is { } value && accepts(value) ? value : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
