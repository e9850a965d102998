using System.Text;
using System.Text.Json;
using Recsys.Catalog;
using Recsys.Files;

namespace Recsys.Store.Versions;

/// <summary>
/// <c>appended/VERSION.jsonl</c>: one appended item a line, fsynced before the call returns. Writers of all processes take turns by a
/// lock file. A last line that was torn by a crash is passed over by readers and cut off by the next writer.
/// </summary>
internal static class AppendJournal
{
    public const string FolderName = "appended";

    private sealed record Line(string Item, string Id, string Title);

    public static void Append(string root, string version, IReadOnlyList<AppendedItem> items, TimeSpan patience, TimeProvider time)
    {
        string folder = Path.Combine(root, FolderName), path = PathOf(root, version);
        Directory.CreateDirectory(folder);
        using (FileLock.Exclusive(Path.Combine(folder, $".{version}.lock"), patience, time))
        {
            bool isNew = !File.Exists(path);
            using (var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0))
            {
                long before = WholeLength(file);
                file.SetLength(before);
                file.Seek(0, SeekOrigin.End);
                byte[] lines = Encoding.UTF8.GetBytes(
                    string.Concat(
                        items.Select(
                            item => JsonSerializer.Serialize(
                                new Line(item.ItemId, item.SemanticId.ToString(), item.Title), Json.Lines) + "\n")));
                FaultPoints.Pass("version.append.begin");
                try
                {
                    file.Write(lines.AsSpan(0, lines.Length / 2));
                    FaultPoints.Pass("version.append.torn");
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
                AtomicFile.SyncFolder(folder);
                AtomicFile.SyncFolder(root);
            }
        }
    }

    /// <summary>In order; an item that two writers appended counts once, as it was first.</summary>
    public static IReadOnlyList<AppendedItem> Read(string root, string version)
    {
        string path = PathOf(root, version);
        if (!File.Exists(path))
        {
            return [];
        }

        byte[] bytes;
        using (var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite))
        {
            bytes = new byte[file.Length];
            bytes = bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
        }

        var items = new List<AppendedItem>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (int start = 0, number = 1; start < bytes.Length; number++)
        {
            int length = bytes.AsSpan(start).IndexOf((byte)'\n');
            bool last = length < 0 || start + length + 1 == bytes.Length;
            if (length >= 0 && TryParse(bytes.AsSpan(start, length)) is { } item)
            {
                if (seen.Add(item.ItemId))
                {
                    items.Add(item);
                }
            }
            else if (!last)
            {
                throw CatalogException.Damaged(
                    $"'{path}', line {number} is damaged; only the last line may be (a crash while it was written). Restore the file "
                    + "from a backup.");
            }

            start = length < 0 ? bytes.Length : start + length + 1;
        }

        return items;
    }

    /// <summary>Removes a version's journal, where there is one.</summary>
    public static void Remove(string root, string version) => File.Delete(PathOf(root, version));

    private static string PathOf(string root, string version) => Path.Combine(root, FolderName, version + ".jsonl");

    // The length up to the end of the last whole line; walks back over at most one torn one.
    private static long WholeLength(FileStream file)
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

    private static AppendedItem? TryParse(ReadOnlySpan<byte> utf8)
    {
        try
        {
            var line = JsonSerializer.Deserialize<Line>(utf8, Json.Lines);
            return line is not null && SemanticId.TryParse(line.Id, out var id) ? new AppendedItem(line.Item, id, line.Title) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
