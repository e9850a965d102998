using System.Text;
using Recsys.Imaging.Native;

namespace Recsys.Imaging;

/// <summary>Encodes RGB as PNG, with text (recipe, seed, version…) that <see cref="ReadText"/> reads back. Same input, same bytes.</summary>
public static class PngEncoder
{
    /// <param name="rgb">[height × width × 3]</param>
    /// <param name="text">Keyword → text; keywords of 1 to 79 printable ASCII characters. Written in order of the keywords.</param>
    /// <exception cref="ImageException">A wrong length or keyword.</exception>
    public static byte[] Encode(byte[] rgb, int width, int height, IReadOnlyDictionary<string, string>? text = null) =>
        Encode(new Picture(width, height, rgb), text);

    /// <inheritdoc cref="Encode(byte[], int, int, IReadOnlyDictionary{string, string}?)"/>
    public static byte[] Encode(Picture picture, IReadOnlyDictionary<string, string>? text = null)
    {
        foreach (string keyword in text?.Keys ?? [])
        {
            if (keyword.Length is 0 or > 79 || keyword.Trim() != keyword || keyword.Contains("  ", StringComparison.Ordinal) || keyword.Any(c => c is < ' ' or > '~'))
            {
                throw new ImageException($"'{keyword}' is no PNG keyword: 1 to 79 printable ASCII characters, no space at the ends, no two in a row.");
            }
        }

        VipsRuntime.Ensure();
        using var image = VipsImage.FromMemory(picture.Rgb, picture.Width, picture.Height, 3);
        using var save = new VipsOperation("pngsave_buffer").Set("in", image).Set("compression", 9).Set("filter", "all").Set("strip", true);
        byte[] png = save.Run().Bytes();
        return text is { Count: > 0 } ? Insert(png, text) : png;
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
            if (!(latin || utf8) || zero < 1 || System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(png[(next - 4)..]) != PngChunks.Crc(type, data))
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

    private static byte[] Insert(byte[] png, IReadOnlyDictionary<string, string> text)
    {
        const int AfterHeader = 8 + 12 + 13; // signature and IHDR
        using var to = new MemoryStream(png.Length + 1024);
        to.Write(png.AsSpan(0, AfterHeader));
        foreach (string keyword in text.Keys.Order(StringComparer.Ordinal))
        {
            PngChunks.WriteText(to, keyword, text[keyword]);
        }

        to.Write(png.AsSpan(AfterHeader));
        return to.ToArray();
    }
}
