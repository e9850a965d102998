namespace Recsys.Imaging.Tests;

/// <summary>Small files of kinds that our encoders do not write.</summary>
internal static class TestFiles
{
    /// <summary>A CMYK JPEG with Adobe's inverted values, 16 × 8: bands of 4 columns white, black, red, blue.</summary>
    public static byte[] CmykJpeg => Convert.FromBase64String(
        "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwADAgIDAgIDAwMDBAMDBAUIBQUEBAUKBwcGCAwKDAwLCgsLDQ4SEA0OEQ4LCxAWEBETFBUVFQwPFxgWFBgSFBUU/8AAFAgACAAQBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwD9U6/VOv1TpP8Agud/zRP/ALjf/thX5V/8Fzv+aJ/9xv8A9sK/lXr8q/8Aghj/AM1s/wC4J/7f1+qlf//Z");

    /// <summary>A lossy WebP with alpha, 24 × 16: red 10x, green 15y, blue 80, alpha 8(x + y).</summary>
    public static byte[] AlphaWebP => Convert.FromBase64String(
        "UklGRloBAABXRUJQVlA4WAoAAAAYAAAAFwAADwAAQUxQSBYAAAABmTJE9D8gJCBE/1eLYsQETACVo/4JVlA4IFwAAAAwBACdASoYABAAPrVKoUmnJCOhMAgA4BaJbACdMoR3N5KAZ311ZXDRDVQA/vWbisya2KLf1XDALCJgK06xCumr6M46UpzMGo9gg7C4Tw+pB+56QxBfRKjPnigAAEVYSUa6AAAARXhpZgAASUkqAAgAAAAGABIBAwABAAAAAQAAABoBBQABAAAAVgAAABsBBQABAAAAXgAAACgBAwABAAAAAgAAABMCAwABAAAAAQAAAGmHBAABAAAAZgAAAAAAAAA4YwAA6AMAADhjAADoAwAABgAAkAcABAAAADAyMTABkQcABAAAAAECAwAAoAcABAAAADAxMDABoAMAAQAAAP//AAACoAQAAQAAABgAAAADoAQAAQAAABAAAAAAAAAA");

    /// <summary>One file of each kind that a catalogue may hold.</summary>
    public static Dictionary<string, byte[]> EachKind => new()
    {
        ["png"] = PngEncoder.Encode(Pictures.Noise(12, 9, 4), new Dictionary<string, string> { ["seed"] = "1" }),
        ["interlaced png"] = TestPng.Encode(12, 9, 8, TestPng.Colour, (x, y, channel) => ((x * 31) + (y * 17) + (channel * 70)) % 256, interlaced: true),
        ["grey png of 2 bits"] = TestPng.Encode(13, 7, 2, TestPng.Grey, (x, y, _) => (x + y) % 4),
        ["palette png"] = TestPng.Encode(13, 7, 4, TestPng.Palette, (x, y, _) => (x + y) % 3, [1, 2, 3, 90, 80, 70, 255, 0, 0], [0, 128, 255]),
        ["png of 16 bits with alpha"] = TestPng.Encode(9, 7, 16, TestPng.ColourAlpha, (x, y, channel) => (x * 7000) + (y * 900) + channel),
        ["jpeg"] = JpegEncoder.Encode(Pictures.Noise(24, 17, 4), 80),
        ["progressive jpeg"] = JpegEncoder.Encode(Pictures.Noise(24, 17, 5), 80, progressive: true),
        ["cmyk jpeg"] = CmykJpeg,
        ["turned jpeg"] = JpegDecodingTests.WithOrientation(JpegEncoder.Encode(Pictures.Noise(24, 17, 6), 80), 6),
        ["lossless webp"] = TestWebP.File,
        ["lossy webp"] = WebPEncoder.Encode(Pictures.Noise(20, 14, 7), 60),
        ["webp with alpha"] = AlphaWebP,
    };
}
