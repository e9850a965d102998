using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Recsys.Torch;

/// <summary>
/// Tensors by name in the safetensors format: no code, only numbers. Opening reads the header alone; each tensor, or some of its rows,
/// is then read straight into its own memory or, where that is asked for, is the file's own pages (<see cref="Open(string, bool)"/>).
/// </summary>
public sealed partial class SafetensorsFile : IDisposable
{
    private readonly SafeFileHandle? _file;
    private readonly FileMapping? _mapping;
    private readonly ReadOnlyMemory<byte> _memory;
    private readonly string _source;
    private readonly long _dataStart;
    private readonly Dictionary<string, SafetensorsEntry> _byName;

    private SafetensorsFile(SafeFileHandle? file, ReadOnlyMemory<byte> memory, string source, bool mapped = false)
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
        _mapping = mapped && file is not null ? FileMapping.Open(file, length) : null;
    }

    /// <summary>All tensors, in the order of their data.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries { get; }

    /// <summary>Free texts that the file carries.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens a file and checks its header.</summary>
    /// <param name="mapped">
    /// Tensors on the CPU are then private views of the file: nothing is copied until a page is written to, the file never sees a write,
    /// and the mapping goes with the last tensor (this object may go before). Copied all the same are BOOL, whose bytes are checked, and
    /// tensors that do not begin at a multiple of their element. Only for files that are replaced, not changed: <see cref="Save"/> and the
    /// official writers rename a new file over the old one, which leaves it in place. Whoever writes into the file changes the tensors,
    /// and whoever cuts it short ends the process (SIGBUS) at the next touch of what is gone, so by default a file is read.
    /// </param>
    /// <exception cref="SafetensorsException">It breaks the format.</exception>
    public static SafetensorsFile Open(string path, bool mapped = false)
    {
        SafeFileHandle file = File.OpenHandle(path);
        try
        {
            return new SafetensorsFile(file, default, path, mapped);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The same over bytes in memory.</summary>
    public static SafetensorsFile Open(ReadOnlyMemory<byte> bytes) => new(null, bytes, "safetensors bytes");

    /// <summary>What was read stays; so does what was mapped.</summary>
    public void Dispose()
    {
        _mapping?.Dispose();
        _file?.Dispose();
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
