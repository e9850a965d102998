using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using static Recsys.Torch.torch;

namespace Recsys.Torch;

/// <summary>
/// Tensors by name in the safetensors format: no code, only numbers. Opening reads the header alone; each tensor is then read
/// straight into its own memory, not through a mapping, since a file cut short under a mapping ends the process.
/// </summary>
public sealed partial class SafetensorsFile : IDisposable
{
    private readonly SafeFileHandle? _file;
    private readonly ReadOnlyMemory<byte> _memory;
    private readonly string _source;
    private readonly long _dataStart;
    private readonly Dictionary<string, SafetensorsEntry> _byName;

    private SafetensorsFile(SafeFileHandle? file, ReadOnlyMemory<byte> memory, string source)
    {
        (_file, _memory, _source) = (file, memory, source);
        long length = file is null ? memory.Length : RandomAccess.GetLength(file);
        if (length < 8)
        {
            throw new SafetensorsException($"{source}: {length} bytes are too few for a safetensors file");
        }

        Span<byte> prefix = stackalloc byte[8];
        ReadAt(0, prefix);
        ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerLength > SafetensorsHeader.MaxBytes)
        {
            throw new SafetensorsException($"{source}: the header claims {headerLength} bytes, at most {SafetensorsHeader.MaxBytes} are allowed");
        }

        if ((long)headerLength > length - 8)
        {
            throw new SafetensorsException($"{source}: the header claims {headerLength} bytes, but only {length - 8} follow; the file is truncated");
        }

        byte[] json = new byte[headerLength];
        ReadAt(8, json);
        _dataStart = 8 + (long)headerLength;
        SafetensorsHeader header;
        try
        {
            header = SafetensorsHeader.Parse(json, length - _dataStart);
        }
        catch (SafetensorsException e)
        {
            throw new SafetensorsException($"{source}: {e.Message}", e);
        }

        Entries = header.Entries;
        Metadata = header.Metadata;
        _byName = header.Entries.ToDictionary(e => e.Name);
    }

    /// <summary>All tensors, in the order of their data.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries { get; }

    /// <summary>Free texts that the file carries.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens a file and checks its header.</summary>
    /// <exception cref="SafetensorsException">It breaks the format.</exception>
    public static SafetensorsFile Open(string path)
    {
        SafeFileHandle file = File.OpenHandle(path);
        try
        {
            return new SafetensorsFile(file, default, path);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The same over bytes in memory.</summary>
    public static SafetensorsFile Open(ReadOnlyMemory<byte> bytes) => new(null, bytes, "safetensors bytes");

    /// <summary>All tensors of a file, on the CPU. The caller (or the current dispose scope) owns them.</summary>
    /// <exception cref="SafetensorsException">The file breaks the format; nothing is left behind.</exception>
    public static Dictionary<string, Tensor> Load(string path)
    {
        using SafetensorsFile file = Open(path);
        return file.ReadAll();
    }

    /// <inheritdoc cref="Load(string)"/>
    public static Dictionary<string, Tensor> Load(ReadOnlyMemory<byte> bytes)
    {
        using SafetensorsFile file = Open(bytes);
        return file.ReadAll();
    }

    /// <summary>All tensors, on the CPU.</summary>
    public Dictionary<string, Tensor> ReadAll()
    {
        var tensors = new Dictionary<string, Tensor>(Entries.Count);
        try
        {
            foreach (SafetensorsEntry entry in Entries)
            {
                tensors.Add(entry.Name, Read(entry));
            }
        }
        catch
        {
            foreach (Tensor tensor in tensors.Values)
            {
                tensor.Dispose();
            }

            throw;
        }

        return tensors;
    }

    /// <summary>One tensor, on the CPU.</summary>
    public Tensor Read(string name) => _byName.TryGetValue(name, out SafetensorsEntry? entry)
        ? Read(entry)
        : throw new SafetensorsException($"{_source}: no tensor '{name}'; the file has {string.Join(", ", Entries.Take(20).Select(e => e.Name))}{(Entries.Count > 20 ? ", …" : "")}");

    public void Dispose() => _file?.Dispose();

    private unsafe Tensor Read(SafetensorsEntry entry)
    {
        Tensor tensor = empty(entry.Shape, dtype: entry.Dtype);
        try
        {
            byte* memory = entry.Length == 0 ? null : (byte*)tensor.DataPointer();
            for (long at = 0; at < entry.Length;)
            {
                int count = (int)Math.Min(entry.Length - at, 1 << 30);
                var piece = new Span<byte>(memory + at, count);
                ReadAt(_dataStart + entry.Begin + at, piece);
                if (entry.Dtype == ScalarType.Bool && piece.IndexOfAnyExceptInRange((byte)0, (byte)1) is >= 0 and var bad)
                {
                    throw new SafetensorsException($"{_source}: tensor '{entry.Name}' is BOOL, but byte {at + bad} of it is {piece[bad]}, neither 0 nor 1");
                }

                at += count;
            }

            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    private void ReadAt(long offset, Span<byte> target)
    {
        if (_file is null)
        {
            _memory.Span.Slice((int)offset, target.Length).CopyTo(target);
            return;
        }

        while (target.Length > 0)
        {
            int count = RandomAccess.Read(_file, target, offset);
            if (count == 0)
            {
                throw new SafetensorsException($"{_source}: the file ended at byte {offset} while it was being read");
            }

            target = target[count..];
            offset += count;
        }
    }
}
