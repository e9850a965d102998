using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Recsys.Imaging;

/// <summary>Encodes RGB as PNG, with text (recipe, seed, version…) that <see cref="ReadText"/> reads back. Same input, same bytes.</summary>
public static class PngEncoder
{
    /// <param name="rgb">[height × width × 3]</param>
    /// <param name="text">Keyword → text; keywords of 1 to 79 printable ASCII characters. Written in order of the keywords.</param>
    /// <param name="compression">How hard the rows are packed.</param>
    /// <exception cref="ImageException">A wrong length or keyword.</exception>
    public static byte[] Encode(
        byte[] rgb, int width, int height, IReadOnlyDictionary<string, string>? text = null, CompressionLevel compression = CompressionLevel.SmallestSize) =>
        Encode(new Picture(width, height, rgb), text, compression);

    /// <inheritdoc cref="Encode(byte[], int, int, IReadOnlyDictionary{string, string}?, CompressionLevel)"/>
    public static byte[] Encode(
        Picture picture, IReadOnlyDictionary<string, string>? text = null, CompressionLevel compression = CompressionLevel.SmallestSize)
    {
        foreach (string keyword in text?.Keys ?? [])
        {
            if (keyword.Length is 0 or > 79 || keyword.Trim() != keyword || keyword.Contains("  ", StringComparison.Ordinal) || keyword.Any(c => c is < ' ' or > '~'))
            {
                throw new ImageException($"'{keyword}' is no PNG keyword: 1 to 79 printable ASCII characters, no space at the ends, no two in a row.");
            }
        }

        using var png = new MemoryStream();
        png.Write(ImageSniffer.PngSignature);
        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, picture.Width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], picture.Height);
        (header[8], header[9], header[10], header[11], header[12]) = (8, 2, 0, 0, 0); // 8 bits, RGB, deflate, adaptive filters, not interlaced
        PngChunks.Write(png, "IHDR"u8, header);
        foreach (string keyword in text?.Keys.Order(StringComparer.Ordinal) ?? Enumerable.Empty<string>())
        {
            PngChunks.WriteText(png, keyword, text![keyword]);
        }

        PngChunks.Write(png, "IDAT"u8, PngFilters.Compress(picture, compression));
        PngChunks.Write(png, "IEND"u8, []);
        return png.ToArray();
    }

    /// <summary>The tEXt and uncompressed iTXt chunks of a PNG file; those of other kinds, or with a wrong CRC, are passed over.</summary>
    /// <exception cref="ImageException">No PNG, or a truncated one.</exception>
    public static IReadOnlyDictionary<string, string> ReadText(ReadOnlySpan<byte> png)
    {
        if (ImageSniffer.Sniff(png, null) != ImageFormat.Png)
        {
            throw new ImageException("Text is read from PNG only.");
        }

        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        for (int at = 8; PngChunks.TryRead(png, at, out var type, out var data, out int next); at = next)
        {
            int zero = data.IndexOf((byte)0);
            bool latin = type.SequenceEqual("tEXt"u8), utf8 = type.SequenceEqual("iTXt"u8);
            if (!(latin || utf8) || zero < 1 || BinaryPrimitives.ReadUInt32BigEndian(png[(next - 4)..]) != PngChunks.Crc(type, data))
            {
                continue;
            }

            string keyword = Encoding.Latin1.GetString(data[..zero]);
            data = data[(zero + 1)..];
            if (latin)
            {
                found[keyword] = Encoding.Latin1.GetString(data);
                continue;
            }

            // compression flag, method, language tag \0, translated keyword \0, text
            int language = data.Length > 2 && data[0] == 0 ? data[2..].IndexOf((byte)0) : -1;
            int translated = language < 0 ? -1 : data[(language + 3)..].IndexOf((byte)0);
            if (translated >= 0)
            {
                found[keyword] = Encoding.UTF8.GetString(data[(language + 3 + translated + 1)..]);
            }
        }

        return found;
    }
}
