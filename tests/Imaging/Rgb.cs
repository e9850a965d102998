namespace Recsys.Imaging.Tests;

/// <summary>One colour in sRGB, 0 to 255 a channel.</summary>
internal readonly record struct Rgb(byte R, byte G, byte B)
{
    public static Rgb White => new(255, 255, 255);
}
