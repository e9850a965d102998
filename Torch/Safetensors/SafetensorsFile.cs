using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Recsys.Torch.Safetensors;

/// <summary>
/// Tensors by name in the safetensors format: no code, only numbers (https://github.com/huggingface/safetensors, format of version 0.4).
/// Reading trusts nothing: the header is checked whole before a tensor is made.
/// </summary>
public static partial class SafetensorsFile
{
    private const int Piece = 1 << 30; // bytes read or written at once

    /// <summary>Tensors of so many bytes stay in the file, whose pages the system reads when they are first asked for and may drop again.
    /// What is written to them is this process's alone.</summary>
    private const long Mapped = 64L << 20;

    /// <summary>All tensors of a file, on the CPU. The caller (or the current dispose scope) owns them.</summary>
    /// <exception cref="SafetensorsException">The file breaks the format, or holds an element type that libtorch lacks; nothing is left
    /// behind.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static Dictionary<string, Tensor> Load(string path) => Load(path, out _);

    /// <inheritdoc cref="Load(string)"/>
    /// <param name="metadata">Free texts that the file carries.</param>
    public static Dictionary<string, Tensor> Load(string path, out IReadOnlyDictionary<string, string> metadata) =>
        Load(path, out metadata, Mapped);

    /// <inheritdoc cref="Load(string)"/>
    /// <param name="mapped">Bytes from which on a tensor stays in the file.</param>
    internal static Dictionary<string, Tensor> Load(string path, out IReadOnlyDictionary<string, string> metadata, long mapped)
    {
        using var file = File.OpenHandle(path);
        try
        {
            var (header, start) = ReadHeader(file);
            metadata = header.Metadata;
            return ReadAll(file, header.Entries, start, mapped);
        }
        catch (SafetensorsException fault)
        {
            throw new SafetensorsException($"{path}: {fault.Message}", fault);
        }
    }

    private static (SafetensorsHeader Header, long Start) ReadHeader(SafeFileHandle file)
    {
        long length = RandomAccess.GetLength(file);
        if (length < 8)
        {
            throw new SafetensorsException($"{length} bytes are too few for a safetensors file");
        }

        Span<byte> prefix = stackalloc byte[8];
        Read(file, 0, prefix);
        ulong size = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (size > SafetensorsHeader.MaxBytes || (long)size > length - 8)
        {
            throw new SafetensorsException(
                $"the header claims {size} bytes; {length - 8} follow, and at most {SafetensorsHeader.MaxBytes} are allowed: the file "
                + "is truncated or none of this format");
        }

        var json = new byte[size];
        Read(file, 8, json);
        long start = 8 + (long)size;
        return (SafetensorsHeader.Parse(json, length - start), start);
    }

    private static Dictionary<string, Tensor> ReadAll(
        SafeFileHandle file, List<SafetensorsEntry> entries, long start, long mapped)
    {
        using var scope = NewDisposeScope(); // frees what a file that proves wrong has brought
        var tensors = new Dictionary<string, Tensor>(entries.Count);
        foreach (var entry in entries)
        {
            long offset = start + entry.Begin;
            if (entry.Length >= Math.Max(1, mapped) && entry.Type != ScalarType.Bool && offset % entry.Size == 0)
            {
                tensors[entry.Name] = Map(file, offset, entry);
                continue;
            }

            var tensor = tensors[entry.Name] = empty(entry.Shape, dtype: entry.Type);
            Fill(file, offset, entry, tensor);
        }

        foreach (var tensor in tensors.Values)
        {
            tensor.MoveToOuterDisposeScope();
        }

        return tensors;
    }

    /// <summary>By the handle: the file of that path may be another by now.</summary>
    private static Tensor Map(SafeFileHandle file, long offset, SafetensorsEntry entry)
    {
        string path = $"/proc/self/fd/{file.DangerousGetHandle()}"; // the caller holds it
        try
        {
            return from_file(path, shared: false, (offset + entry.Length) / entry.Size, entry.Type)
                .narrow(0, offset / entry.Size, entry.Length / entry.Size).view(entry.Shape);
        }
        catch (ExternalException fault)
        {
            throw new IOException($"tensor '{entry.Name}' could not be mapped: {fault.Message}", fault);
        }
    }

    private static unsafe void Fill(SafeFileHandle file, long offset, SafetensorsEntry entry, Tensor tensor)
    {
        byte* memory = (byte*)tensor.Address();
        for (long at = 0; at < entry.Length; at += Piece)
        {
            var piece = new Span<byte>(memory + at, (int)Math.Min(entry.Length - at, Piece));
            Read(file, offset + at, piece);
            if (entry.Type == ScalarType.Bool && piece.IndexOfAnyExceptInRange((byte)0, (byte)1) is >= 0 and var bad)
            {
                throw new SafetensorsException(
                    $"tensor '{entry.Name}' is BOOL, but byte {at + bad} of it is {piece[bad]}, neither 0 nor 1");
            }
        }
    }

    private static void Read(SafeFileHandle file, long offset, Span<byte> target)
    {
        while (target.Length > 0)
        {
            int count = RandomAccess.Read(file, target, offset);
            if (count == 0)
            {
                throw new SafetensorsException($"the file ended at byte {offset} while it was being read");
            }

            target = target[count..];
            offset += count;
        }
    }
}
