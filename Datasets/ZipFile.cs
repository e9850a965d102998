using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Recsys.Catalog;

namespace Recsys.Datasets;

/// <summary>
/// Random access into a ZIP archive from any thread (the runtime's ZipArchive allows one reader at a time): the central directory
/// is read once, then every entry with positional reads. Stored and deflated entries, ZIP64 included. Nothing in it is trusted.
/// </summary>
internal sealed class ZipFile : IDisposable
{
    /// <summary>Largest picture file that is read, in bytes.</summary>
    public const int MaxEntry = 64 << 20;

    private const int MaxDirectory = 1 << 30;
    private const uint EndSignature = 0x06054b50, End64LocatorSignature = 0x07064b50, End64Signature = 0x06064b50, CentralSignature = 0x02014b50, LocalSignature = 0x04034b50;

    private readonly SafeFileHandle _file;
    private readonly string _path;

    private ZipFile(SafeFileHandle file, string path, List<Entry> entries) => (_file, _path, Entries) = (file, path, entries);

    internal readonly record struct Entry(string Name, ushort Method, uint Crc, long Packed, long Length, long Offset);

    /// <summary>Files in the archive, in the order of its directory.</summary>
    public IReadOnlyList<Entry> Entries { get; }

    /// <exception cref="CatalogException">NotFound; DataLoss where it is no ZIP archive or a truncated one.</exception>
    public static ZipFile Open(string path)
    {
        if (!File.Exists(path))
        {
            throw CatalogException.NotFound($"Archive '{path}' does not exist.");
        }

        var file = File.OpenHandle(path);
        try
        {
            return new ZipFile(file, path, ReadDirectory(file, path));
        }
        catch (Exception error) when (error is ArgumentOutOfRangeException or EndOfStreamException)
        {
            file.Dispose();
            throw Damaged(path, "its directory points outside of the file", error);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static List<Entry> ReadDirectory(SafeFileHandle file, string path)
    {
        long length = RandomAccess.GetLength(file);
        int tailLength = (int)Math.Min(length, 22 + 65535 + 20);
        var tail = ReadAt(file, length - tailLength, tailLength);
        int end = tailLength - 22;
        while (end >= 0 && BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(end)) != EndSignature)
        {
            end--;
        }

        if (end < 0)
        {
            throw Damaged(path, "it has no end record, so it is truncated or no ZIP archive");
        }

        long count = BinaryPrimitives.ReadUInt16LittleEndian(tail.AsSpan(end + 10));
        long size = BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(end + 12));
        long start = BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(end + 16));
        if (end >= 20 && BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(end - 20)) == End64LocatorSignature)
        {
            var end64 = ReadAt(file, BinaryPrimitives.ReadInt64LittleEndian(tail.AsSpan(end - 12)), 56);
            if (BinaryPrimitives.ReadUInt32LittleEndian(end64) != End64Signature)
            {
                throw Damaged(path, "its ZIP64 end record is not where it should be");
            }

            count = BinaryPrimitives.ReadInt64LittleEndian(end64.AsSpan(32));
            size = BinaryPrimitives.ReadInt64LittleEndian(end64.AsSpan(40));
            start = BinaryPrimitives.ReadInt64LittleEndian(end64.AsSpan(48));
        }

        if (size is < 0 or > MaxDirectory || start < 0 || start + size > length || count < 0 || count > size / 46)
        {
            throw Damaged(path, $"its directory of {count} entries in {size} bytes at {start} does not fit into {length} bytes");
        }

        var directory = ReadAt(file, start, (int)size);
        var entries = new List<Entry>((int)count);
        int at = 0;
        for (long index = 0; index < count; index++)
        {
            var record = directory.AsSpan(at);
            if (BinaryPrimitives.ReadUInt32LittleEndian(record) != CentralSignature)
            {
                throw Damaged(path, $"directory entry {index} of {count} is broken");
            }

            int nameLength = BinaryPrimitives.ReadUInt16LittleEndian(record[28..]), extraLength = BinaryPrimitives.ReadUInt16LittleEndian(
                record[30..]), commentLength = BinaryPrimitives.ReadUInt16LittleEndian(
                record[32..]);
            var entry = new Entry(
                Encoding.UTF8.GetString(record.Slice(46, nameLength)),
                BinaryPrimitives.ReadUInt16LittleEndian(record[10..]),
                BinaryPrimitives.ReadUInt32LittleEndian(record[16..]),
                BinaryPrimitives.ReadUInt32LittleEndian(record[20..]),
                BinaryPrimitives.ReadUInt32LittleEndian(record[24..]),
                BinaryPrimitives.ReadUInt32LittleEndian(record[42..]));
            if ((BinaryPrimitives.ReadUInt16LittleEndian(record[8..]) & 1) != 0)
            {
                throw CatalogException.Invalid(
                    $"Archive '{path}': entry '{entry.Name}' is encrypted; make the archive without a password.");
            }

            entry = WithZip64(entry, record.Slice(46 + nameLength, extraLength));
            if (!entry.Name.EndsWith('/'))
            {
                entries.Add(entry);
            }

            at += 46 + nameLength + extraLength + commentLength;
        }

        return entries;
    }

    // ZIP64 extra field: the sizes that did not fit into 32 bits, in a fixed order, only those that are 0xFFFFFFFF.
    private static Entry WithZip64(Entry entry, ReadOnlySpan<byte> extra)
    {
        while (extra.Length >= 4)
        {
            int size = BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]);
            var body = extra.Slice(4, size);
            if (BinaryPrimitives.ReadUInt16LittleEndian(extra) == 1)
            {
                var (length, packed, offset) = (entry.Length, entry.Packed, entry.Offset);
                Take(ref length, ref body);
                Take(ref packed, ref body);
                Take(ref offset, ref body);
                return entry with { Length = length, Packed = packed, Offset = offset };
            }

            extra = extra[(4 + size)..];
        }

        return entry;

        static void Take(ref long value, ref ReadOnlySpan<byte> body)
        {
            if (value == uint.MaxValue)
            {
                value = BinaryPrimitives.ReadInt64LittleEndian(body);
                body = body[8..];
            }
        }
    }

    /// <summary>The entry's content, checked against its length and CRC-32.</summary>
    public byte[] Read(int index)
    {
        var entry = Entries[index];
        if (entry.Length is < 0 or > MaxEntry || entry.Packed is < 0 or > MaxEntry)
        {
            throw new CatalogException(
                Fault.ResourceExhausted, $"Archive '{_path}': entry '{entry.Name}' has {entry.Length} bytes; the limit is {MaxEntry}.");
        }

        try
        {
            var local = ReadAt(_file, entry.Offset, 30);
            if (BinaryPrimitives.ReadUInt32LittleEndian(local) != LocalSignature)
            {
                throw Damaged(_path, $"entry '{entry.Name}' is not at byte {entry.Offset}");
            }

            long start = entry.Offset + 30 + BinaryPrimitives.ReadUInt16LittleEndian(
                local.AsSpan(26)) + BinaryPrimitives.ReadUInt16LittleEndian(
                local.AsSpan(28));
            var packed = ReadAt(_file, start, (int)entry.Packed);
            var content = entry.Method switch
            {
                0 => packed,
                8 => Inflate(packed, (int)entry.Length),
                _ =>
                    throw CatalogException.Invalid(
                        $"Archive '{_path}': entry '{entry.Name}' uses compression method {entry.Method}; allowed: stored, deflated."),
            };
            return content.Length == entry.Length && Crc32.Of(content) == entry.Crc
                ? content
                : throw Damaged(_path, $"entry '{entry.Name}' fails its CRC-32 or length");
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException or ArgumentOutOfRangeException)
        {
            throw Damaged(_path, $"entry '{entry.Name}' cannot be unpacked", error);
        }
    }

    private static byte[] Inflate(byte[] packed, int length)
    {
        var content = new byte[length];
        using var inflater = new DeflateStream(new MemoryStream(packed), CompressionMode.Decompress);
        inflater.ReadExactly(content);
        return inflater.ReadByte() < 0 ? content : throw new InvalidDataException("longer than its directory entry says");
    }

    private static byte[] ReadAt(SafeFileHandle file, long offset, int count)
    {
        var bytes = new byte[count];
        for (int done = 0; done < count;)
        {
            int got = RandomAccess.Read(file, bytes.AsSpan(done), offset + done);
            done += got > 0 ? got : throw new EndOfStreamException();
        }

        return bytes;
    }

    private static CatalogException Damaged(string path, string what, Exception? inner = null) =>
        CatalogException.Damaged($"Archive '{path}' is damaged: {what}. Copy it again.", inner);

    public void Dispose() => _file.Dispose();
}
