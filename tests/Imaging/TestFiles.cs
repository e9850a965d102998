using NetVips;

namespace Recsys.Imaging.Tests;

/// <summary>Small files of every kind that a catalogue may hold.</summary>
internal static class TestFiles
{
    /// <summary>A CMYK JPEG with Adobe's inverted values, 16 × 8: bands of 4 columns white, black, red, blue.</summary>
    public static byte[] CmykJpeg => Convert.FromBase64String(
        "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwADAgIDAgIDAwMDBAMDBAUIBQUEBAUKBwcGCAwKDAwLCgsLDQ4SEA0OEQ4LCxAWEBETFBUVFQwPFxgWFB"
        + "gSFBUU/8AAFAgACAAQBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIBAwMCBAMFBQQEAAABfQEC"
        + "AwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dX"
        + "Z3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4E"
        + "QwBNAFkASwAAPwD9U6/VOv1TpP8Agud/zRP/ALjf/thX5V/8Fzv+aJ/9xv8A9sK/lXr8q/8Aghj/AM1s/wC4J/7f1+qlf//Z");

    /// <summary>Red 10x, green 15y, blue 80, alpha 8(x + y), 24 × 16 pixels, lossless but for what is wholly transparent.</summary>
    public static byte[] AlphaWebP
    {
        get
        {
            byte[] rgba = [.. from y in Enumerable.Range(0, 16)
                              from x in Enumerable.Range(0, 24)
                              from value in new[] { 10 * x, 15 * y, 80, Math.Min(255, 8 * (x + y)) }
                              select (byte)value];
            using var image = Image.NewFromMemoryCopy<byte>(rgba, 24, 16, 4, Enums.BandFormat.Uchar);
            using var srgb = image.Copy(interpretation: Enums.Interpretation.Srgb);
            return srgb.WebpsaveBuffer(lossless: true);
        }
    }

    /// <summary>One file of each kind.</summary>
    public static Dictionary<string, byte[]> EachKind { get; } = new()
    {
        ["png"] = PngEncoder.Encode(Pictures.Noise(12, 9, 4), new Dictionary<string, string> { ["seed"] = "1" }),
        ["interlaced png"] = TestPng.Encode(12, 9, 8, TestPng.Colour, (x, y, c) => (x * 20) + (y * 3) + c, interlaced: true),
        ["grey png of 2 bits"] = TestPng.Encode(13, 7, 2, TestPng.Grey, (x, y, _) => (x + y) % 4),
        ["palette png"] = TestPng.Encode(13, 7, 4, TestPng.Palette, (x, y, _) => (x + y) % 3, [1, 2, 3, 90, 80, 70, 255, 0, 0], [0, 99]),
        ["png of 16 bits with alpha"] = TestPng.Encode(9, 7, 16, TestPng.ColourAlpha, (x, y, c) => (x * 7000) + (y * 900) + c),
        ["jpeg"] = Jpeg(Pictures.Noise(24, 17, 4), 80),
        ["progressive jpeg"] = Jpeg(Pictures.Noise(24, 17, 5), 80, progressive: true),
        ["cmyk jpeg"] = CmykJpeg,
        ["turned jpeg"] = Turned(Jpeg(Pictures.Noise(24, 17, 6), 80), 6),
        ["lossless webp"] = WebP(Pictures.Noise(16, 12, 8), lossless: true),
        ["lossy webp"] = WebP(Pictures.Noise(20, 14, 7), lossless: false),
        ["webp with alpha"] = AlphaWebP,
    };

    public static byte[] Jpeg(Picture picture, int quality = 95, bool progressive = false)
    {
        using var image = Open(picture);
        return image.JpegsaveBuffer(q: quality, interlace: progressive, keep: Enums.ForeignKeep.None);
    }

    public static byte[] WebP(Picture picture, bool lossless)
    {
        using var image = Open(picture);
        return image.WebpsaveBuffer(q: 75, lossless: lossless, keep: Enums.ForeignKeep.None);
    }

    /// <summary>The JPEG with an EXIF segment that says how it is turned.</summary>
    public static byte[] Turned(byte[] jpeg, int orientation)
    {
        byte[] body = [.. "Exif\0\0"u8, .. Exif(orientation)];
        return [jpeg[0], jpeg[1], 0xFF, 0xE1, 0, (byte)(body.Length + 2), .. body, .. jpeg[2..]];
    }

    /// <summary>Big-endian TIFF, one directory of one entry: tag 0x0112, a short.</summary>
    public static byte[] Exif(int orientation) =>
        [0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0, 0, 0, 0, 0];

    public static Image Open(Picture picture)
    {
        using var image = Image.NewFromMemoryCopy<byte>(picture.Rgb, picture.Width, picture.Height, 3, Enums.BandFormat.Uchar);
        return image.Copy(interpretation: Enums.Interpretation.Srgb);
    }
}
