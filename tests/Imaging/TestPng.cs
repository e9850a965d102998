using System.Buffers.Binary;
using System.IO.Compression;

namespace Recsys.Imaging.Tests;

/// <summary>A PNG writer of the tests' own, so that the decoder is checked against the specification and not against its own encoder.</summary>
internal static class TestPng
{
    public const int Grey = 0, Colour = 2, Palette = 3, GreyAlpha = 4, ColourAlpha = 6;

    /// <summary>Adam7 (section 8.2): first column, first row, column step, row step of each pass.</summary>
    private static readonly (int X, int Y, int StepX, int StepY)[] Adam7 =
        [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

    /// <param name="sample">Value of (x, y, channel), in the bit depth's range.</param>
    public static byte[] Encode(int width, int height, int depth, int kind, Func<int, int, int, int> sample, byte[]? palette = null, byte[]? transparency = null, bool interlaced = false)
    {
        int channels = kind switch { Grey or Palette => 1, GreyAlpha => 2, Colour => 3, _ => 4 };
        using var raw = new MemoryStream();
        foreach (var (x0, y0, stepX, stepY) in interlaced ? Adam7 : [(0, 0, 1, 1)])
        {
            for (int y = y0; y < height && x0 < width; y += stepY)
            {
                raw.WriteByte(0); // filter None
                int held = 0, bits = 0;
                for (int x = x0; x < width; x += stepX)
                {
                    for (int channel = 0; channel < channels; channel++)
                    {
                        int value = sample(x, y, channel);
                        if (depth == 16)
                        {
                            raw.WriteByte((byte)(value >> 8));
                            raw.WriteByte((byte)value);
                            continue;
                        }

                        held = (held << depth) | value;
                        bits += depth;
                        if (bits == 8)
                        {
                            raw.WriteByte((byte)held);
                            (held, bits) = (0, 0);
                        }
                    }
                }

                if (bits > 0)
                {
                    raw.WriteByte((byte)(held << (8 - bits)));
                }
            }
        }

        using var file = new MemoryStream();
        file.Write([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);
        Chunk(file, "IHDR"u8, Header(width, height, depth, kind, interlaced));
        if (palette is not null)
        {
            Chunk(file, "PLTE"u8, palette);
        }

        if (transparency is not null)
        {
            Chunk(file, "tRNS"u8, transparency);
        }

        Chunk(file, "IDAT"u8, Compress(raw.ToArray()));
        Chunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    public static byte[] Compress(byte[] data)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            zlib.Write(data);
        }

        return packed.ToArray();
    }

    /// <summary>The file with the right CRC behind each chunk, as far as its chunks can be followed.</summary>
    public static byte[] WithChecksums(byte[] file)
    {
        for (int at = 8; at + 12 <= file.Length;)
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at));
            if (length > file.Length - at - 12)
            {
                break;
            }

            using var chunk = new MemoryStream();
            Chunk(chunk, file.AsSpan(at + 4, 4), file.AsSpan(at + 8, (int)length));
            chunk.ToArray().CopyTo(file, at);
            at += 12 + (int)length;
        }

        return file;
    }

    public static byte[] Header(int width, int height, int depth, int kind, bool interlaced)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9], header[12]) = ((byte)depth, (byte)kind, interlaced ? (byte)1 : (byte)0);
        return header;
    }

    public static void Chunk(Stream to, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> word = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(word, data.Length);
        to.Write(word);
        to.Write(type);
        to.Write(data);
        uint crc = uint.MaxValue;
        foreach (byte value in (byte[])[.. type, .. data])
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? 0xEDB88320 ^ (crc >> 1) : crc >> 1;
            }
        }

        BinaryPrimitives.WriteUInt32BigEndian(word, ~crc);
        to.Write(word);
    }
}
