using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Recsys.Torch.Safetensors;

public static partial class SafetensorsFile
{
    private static readonly Comparer<string> Utf8Order =
        Comparer<string>.Create((a, b) => Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b)));

    /// <summary>
    /// Writes tensors (from any device, of any strides) to a file that appears whole or not at all: written beside its name, synced,
    /// then renamed. The same tensors and metadata give the same bytes, in the official implementation's order.
    /// </summary>
    /// <exception cref="SafetensorsException">A name is reserved or not Unicode; nothing was written.</exception>
    public static void Save(string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        path = Path.GetFullPath(path);
        var entries = Layout(tensors);
        var header = SafetensorsHeader.Format(entries, metadata);
        string folder = Path.GetDirectoryName(path)!;
        string beside = Path.Combine(folder, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}.tmp");
        try
        {
            using (var stream = new FileStream(beside, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                Span<byte> prefix = stackalloc byte[8];
                BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)header.Length);
                stream.Write(prefix);
                stream.Write(header);
                entries.ForEach(entry => Write(stream, entry, tensors[entry.Name]));
                stream.Flush(flushToDisk: true);
            }

            File.Move(beside, path, overwrite: true);
            SyncFolder(folder);
        }
        finally
        {
            File.Delete(beside); // nothing is there after the move
        }
    }

    // Largest alignment first, then by the bytes of the name: every tensor is aligned without padding.
    private static List<SafetensorsEntry> Layout(IReadOnlyDictionary<string, Tensor> tensors)
    {
        List<SafetensorsEntry> entries = [];
        long at = 0;
        foreach (
            var (name, tensor) in tensors.OrderByDescending(
                pair => SafetensorsEntry.RankOf(pair.Value.dtype)).ThenBy(pair => pair.Key, Utf8Order))
        {
            if (name == SafetensorsHeader.MetadataKey)
            {
                throw new SafetensorsException($"a tensor cannot be named {name}; the format reserves it");
            }

            long end = at + (tensor.numel() * tensor.element_size());
            entries.Add(new SafetensorsEntry(name, tensor.dtype, tensor.shape, at, end));
            at = end;
        }

        return entries;
    }

    private static unsafe void Write(Stream stream, SafetensorsEntry entry, Tensor tensor)
    {
        using var scope = NewDisposeScope();
        byte* memory = (byte*)tensor.detach().cpu().contiguous().Address();
        for (long at = 0; at < entry.Length; at += Piece)
        {
            stream.Write(new ReadOnlySpan<byte>(memory + at, (int)Math.Min(entry.Length - at, Piece)));
        }
    }

    // A rename is only on the disk once its folder is.
    private static void SyncFolder(string folder)
    {
        using var handle = new SafeFileHandle(OpenFolder(folder, 0x80000 /* O_CLOEXEC */), ownsHandle: true);
        RandomAccess.FlushToDisk(
            handle.IsInvalid
                ? throw new IOException($"Folder '{folder}' cannot be synced: {Marshal.GetLastPInvokeErrorMessage()}.")
                : handle);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFolder(string path, int flags);
}
