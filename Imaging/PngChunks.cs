using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace Recsys.Imaging;

/// <summary>A PNG file as its chunks (specification, section 5): length, type, data, CRC-32 over type and data.</summary>
internal static class PngChunks
{
    public static ReadOnlySpan<byte> Signature => [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>The file with only what decides pixels and orientation. Texts inflate to 100 × 50 MB in libpng, for nothing.</summary>
    /// <exception cref="ImageException">The chunks do not end with IEND: the file is cut short.</exception>
    public static byte[] Essential(ReadOnlySpan<byte> file)
    {
        using var kept = new MemoryStream(file.Length);
        kept.Write(Signature);
        for (int at = Signature.Length; file.Length - at >= 12;)
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(file[at..]);
            if (length > file.Length - at - 12)
            {
                break;
            }

            var chunk = file.Slice(at, 12 + (int)length);
            var type = chunk[4..8];
            bool critical = char.IsAsciiLetterUpper((char)type[0]); // section 5.4
            if (critical || type.SequenceEqual("tRNS"u8) || type.SequenceEqual("eXIf"u8))
            {
                kept.Write(chunk);
            }

            if (type.SequenceEqual("IEND"u8))
            {
                return kept.ToArray();
            }

            at += chunk.Length;
        }

        throw new ImageException($"The PNG is cut short: its {file.Length:N0} bytes do not end with the chunk IEND. Get the whole file.");
    }

    /// <summary>A text as tEXt (section 11.3.4.3) where Latin-1 suffices, else as uncompressed iTXt (section 11.3.4.5).</summary>
    public static byte[] Text(string keyword, string text)
    {
        if (keyword.Length is 0 or > 79 || keyword.Trim() != keyword || keyword.Any(c => c is < ' ' or > '~') || text.Contains('\0'))
        {
            throw new ImageException($"PNG text '{keyword}': a keyword has 1 to 79 printable ASCII characters, a text no zero byte.");
        }

        bool latin = text.All(c => c is '\n' or (>= ' ' and <= '~') or (>= '\u00A1' and <= '\u00FF'));
        byte[] value = latin ? [0, .. Encoding.Latin1.GetBytes(text)] : [0, 0, 0, 0, 0, .. Encoding.UTF8.GetBytes(text)];
        byte[] body = [.. latin ? "tEXt"u8 : "iTXt"u8, .. Encoding.ASCII.GetBytes(keyword), .. value];
        var chunk = new byte[8 + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(chunk, body.Length - 4);
        body.CopyTo(chunk, 4);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(4 + body.Length), Crc32.HashToUInt32(body));
        return chunk;
    }
}
