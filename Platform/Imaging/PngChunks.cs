using System.Buffers.Binary;
using System.Text;

namespace Recsys.Imaging;

/// <summary>A PNG file as its chunks (PNG specification, section 5): length, type, data, CRC-32 over type and data.</summary>
internal static class PngChunks
{
    private static readonly uint[] CrcTable = BuildCrcTable();

    /// <summary>
    /// Checks that whole chunks follow each other up to an IEND, and that the compressed pixels are no longer than the pixels could
    /// need: a few kilobytes that inflate to gigabytes behind the last row would otherwise be inflated.
    /// </summary>
    /// <returns>What is wrong, or null.</returns>
    public static string? Fault(ReadOnlySpan<byte> file)
    {
        long pixels = 0, limit = 0;
        for (int at = 8; TryRead(file, at, out var type, out var data, out int next); at = next)
        {
            if (type.SequenceEqual("IHDR"u8) && data.Length == 13)
            {
                limit = MostCompressed(data);
            }
            else if (type.SequenceEqual("IDAT"u8) && (pixels += data.Length) > limit)
            {
                return $"A damaged PNG: more compressed data than its pixels can need ({limit:N0} bytes).";
            }
            else if (type.SequenceEqual("IEND"u8))
            {
                return null;
            }
        }

        return "A truncated PNG: its chunks do not end with IEND.";
    }

    /// <summary>
    /// The file with only the chunks that decide pixels and orientation. Texts and profiles are not used here, and compressed ones can
    /// inflate to gigabytes.
    /// </summary>
    public static ReadOnlySpan<byte> Essential(ReadOnlySpan<byte> file)
    {
        using var kept = new MemoryStream(file.Length);
        kept.Write(file[..8]);
        for (int at = 8; TryRead(file, at, out var type, out _, out int next); at = next)
        {
            bool critical = (type[0] & 0x20) == 0; // upper-case first letter, section 5.4
            if (critical || type.SequenceEqual("tRNS"u8) || type.SequenceEqual("eXIf"u8))
            {
                kept.Write(file[at..next]);
            }

            if (type.SequenceEqual("IEND"u8))
            {
                break;
            }
        }

        return kept.GetBuffer().AsSpan(0, (int)kept.Length);
    }

    /// <summary>Whether the header asks for Adam7 (section 8.2).</summary>
    public static bool IsInterlaced(ReadOnlySpan<byte> file) => file.Length > 28 && file[28] != 0;

    // Deflate grows data that it cannot compress by 5 bytes in 16 kB; interlacing adds some filter bytes a row.
    private static long MostCompressed(ReadOnlySpan<byte> header)
    {
        long width = BinaryPrimitives.ReadUInt32BigEndian(header), height = BinaryPrimitives.ReadUInt32BigEndian(header[4..]);
        long row = 1 + (((Math.Min(width, int.MaxValue) * Math.Min(header[8], (byte)16) * 4) + 7) / 8);
        return Math.Min(height, int.MaxValue) < long.MaxValue / (row + 16) / 2 ? (height * (row + 16) * 101 / 100) + 65_536 : long.MaxValue;
    }

    /// <summary>The chunk at an offset; false at the file's end or where a chunk would reach behind it.</summary>
    public static bool TryRead(ReadOnlySpan<byte> file, int at, out ReadOnlySpan<byte> type, out ReadOnlySpan<byte> data, out int next)
    {
        type = data = default;
        next = at;
        if (file.Length - at < 12)
        {
            return false;
        }

        uint length = BinaryPrimitives.ReadUInt32BigEndian(file[at..]);
        if (length > file.Length - at - 12)
        {
            return false;
        }

        type = file.Slice(at + 4, 4);
        data = file.Slice(at + 8, (int)length);
        next = at + 12 + (int)length;
        return true;
    }

    public static void Write(Stream to, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> word = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(word, data.Length);
        to.Write(word);
        to.Write(type);
        to.Write(data);
        BinaryPrimitives.WriteUInt32BigEndian(word, Crc(type, data));
        to.Write(word);
    }

    public static uint Crc(ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        uint crc = Update(uint.MaxValue, type);
        return ~Update(crc, data);
    }

    /// <summary>Whether a text fits tEXt, which is Latin-1; all else needs iTXt.</summary>
    public static bool IsLatin1(string text) => text.All(c => c is '\n' or (>= ' ' and <= '~') or (>= '\u00A1' and <= '\u00FF'));

    /// <summary>tEXt (section 11.3.4.3) where Latin-1 suffices, else uncompressed iTXt (section 11.3.4.5).</summary>
    public static void WriteText(Stream to, string keyword, string text)
    {
        using var data = new MemoryStream();
        data.Write(Encoding.Latin1.GetBytes(keyword));
        data.WriteByte(0);
        if (IsLatin1(text))
        {
            data.Write(Encoding.Latin1.GetBytes(text));
            Write(to, "tEXt"u8, data.ToArray());
            return;
        }

        data.Write([0, 0, 0, 0]); // not compressed, method 0, no language tag, no translated keyword
        data.Write(Encoding.UTF8.GetBytes(text));
        Write(to, "iTXt"u8, data.ToArray());
    }

    private static uint Update(uint crc, ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes)
        {
            crc = CrcTable[(crc ^ value) & 0xFF] ^ (crc >> 8);
        }

        return crc;
    }

    private static uint[] BuildCrcTable()
    {
        var table = new uint[256];
        for (uint value = 0; value < 256; value++)
        {
            uint crc = value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? 0xEDB88320 ^ (crc >> 1) : crc >> 1;
            }

            table[value] = crc;
        }

        return table;
    }
}
