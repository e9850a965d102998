using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using static Recsys.Torch.torch;

namespace Recsys.Torch;

public sealed partial class SafetensorsFile
{
    /// <summary>
    /// Writes tensors (from any device, of any strides) to a file that appears whole or not at all: written beside its name, synced,
    /// then renamed. The same tensors and metadata give the same bytes, in the official implementation's order.
    /// </summary>
    /// <exception cref="SafetensorsException">A name is reserved or not Unicode; nothing was written.</exception>
    public static void Save(string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        path = Path.GetFullPath(path);
        List<SafetensorsEntry> entries = Layout(tensors);
        byte[] header = SafetensorsHeader.Format(entries, metadata);
        string folder = Path.GetDirectoryName(path)!;
        string temporary = Path.Combine(folder, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}.tmp");
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                Write(stream, header, entries, tensors);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
            SyncFolder(folder);
        }
        finally
        {
            File.Delete(temporary); // nothing is there after the move
        }
    }

    /// <summary>The bytes that <see cref="Save"/> would write, for small sets of tensors.</summary>
    public static byte[] ToBytes(IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        List<SafetensorsEntry> entries = Layout(tensors);
        using var stream = new MemoryStream();
        Write(stream, SafetensorsHeader.Format(entries, metadata), entries, tensors);
        return stream.ToArray();
    }

    // Largest alignment first, then by the bytes of the name: every tensor is aligned without padding.
    private static List<SafetensorsEntry> Layout(IReadOnlyDictionary<string, Tensor> tensors)
    {
        List<SafetensorsEntry> entries = [];
        long at = 0;
        foreach ((string name, Tensor tensor) in tensors.OrderByDescending(t => SafetensorsEntry.RankOf(t.Value.dtype)).ThenBy(t => t.Key, Utf8Order))
        {
            if (name == "__metadata__")
            {
                throw new SafetensorsException("a tensor cannot be named __metadata__; the format reserves it");
            }

            long end = at + tensor.numel() * tensor.element_size();
            entries.Add(new SafetensorsEntry(name, SafetensorsEntry.FormatOf(tensor.dtype), tensor.dtype, tensor.shape, at, end));
            at = end;
        }

        return entries;
    }

    private static readonly Comparer<string> Utf8Order =
        Comparer<string>.Create((a, b) => Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b)));

    private static unsafe void Write(Stream stream, byte[] header, List<SafetensorsEntry> entries, IReadOnlyDictionary<string, Tensor> tensors)
    {
        Span<byte> prefix = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)header.Length);
        stream.Write(prefix);
        stream.Write(header);
        foreach (SafetensorsEntry entry in entries.Where(e => e.Length > 0))
        {
            using var scope = NewDisposeScope();
            Tensor plain = tensors[entry.Name].detach().cpu().contiguous();
            byte* memory = (byte*)plain.DataPointer();
            for (long at = 0; at < entry.Length;)
            {
                int count = (int)Math.Min(entry.Length - at, 1 << 30);
                stream.Write(new ReadOnlySpan<byte>(memory + at, count));
                at += count;
            }
        }
    }

    // A rename is only on the disk once its folder is.
    private static void SyncFolder(string folder)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        int descriptor = OpenFolder(folder, 0);
        if (descriptor >= 0)
        {
            _ = Sync(descriptor);
            _ = Close(descriptor);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFolder(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
