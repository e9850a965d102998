using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace Recsys.Imaging.Tests;

/// <summary>A PNG writer of the tests' own, so that the decoder is checked against the specification, not its own encoder.</summary>
internal static class TestPng
{
    public const int Grey = 0, Colour = 2, Palette = 3, GreyAlpha = 4, ColourAlpha = 6;

    /// <summary>Adam7 (section 8.2): first column, first row, column step, row step of each pass.</summary>
    private static readonly (int X, int Y, int StepX, int StepY)[] Adam7 =
        [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

    /// <param name="sample">Value of (x, y, channel), in the bit depth's range.</param>
    public static byte[] Encode(
        int width,
        int height,
        int depth,
        int kind,
        Func<int, int, int, int> sample,
        byte[]? palette = null,
        byte[]? transparency = null,
        bool interlaced = false)
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

        byte[] head = [.. palette is null ? [] : Chunk("PLTE", palette), .. transparency is null ? [] : Chunk("tRNS", transparency)];
        return File(Header(width, height, depth, kind, interlaced), head, Chunk("IDAT", Compress(raw.ToArray())));
    }

    /// <summary>Signature, IHDR, the chunks, IEND.</summary>
    public static byte[] File(byte[] header, params byte[][] chunks) =>
        [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, .. Chunk("IHDR", header), .. chunks.SelectMany(c => c), .. Chunk("IEND", [])];

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

            Chunk(Encoding.Latin1.GetString(file, at + 4, 4), file.AsSpan(at + 8, (int)length)).CopyTo(file, at);
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

    /// <summary>The texts of a file's tEXt and iTXt chunks, read by the specification alone.</summary>
    public static IEnumerable<(string Type, string Keyword, string Text)> Texts(byte[] file)
    {
        for (int at = 8, next; at < file.Length; at = next)
        {
            next = at + 12 + BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at));
            string type = Encoding.ASCII.GetString(file, at + 4, 4);
            uint checksum = BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(next - 4));
            Assert.Equal(Crc32.HashToUInt32(file.AsSpan((at + 4)..(next - 4))), checksum);
            var data = file.AsSpan((at + 8)..(next - 4));
            int zero = data.IndexOf((byte)0);
            if (type is "tEXt" or "iTXt")
            {
                var text = type == "tEXt" ? data[(zero + 1)..] : data[(zero + 5)..];
                var encoding = type == "tEXt" ? Encoding.Latin1 : Encoding.UTF8;
                yield return (type, Encoding.ASCII.GetString(data[..zero]), encoding.GetString(text));
            }
        }
    }

    public static byte[] Chunk(string type, ReadOnlySpan<byte> data)
    {
        byte[] body = [.. Encoding.Latin1.GetBytes(type), .. data];
        var chunk = new byte[body.Length + 8];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        body.CopyTo(chunk, 4);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(body.Length + 4), Crc32.HashToUInt32(body));
        return chunk;
    }
}
