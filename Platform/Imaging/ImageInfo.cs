namespace Recsys.Imaging;

/// <summary>The formats that are decoded; everything else is refused by its first bytes.</summary>
public enum ImageFormat
{
    Png,
    Jpeg,
    WebP,
}

/// <summary>What a picture's header says.</summary>
/// <param name="Width">In pixels, as stored (before its orientation is applied).</param>
/// <param name="Height">In pixels, as stored.</param>
/// <param name="Channels">As decoded: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA or CMYK.</param>
/// <param name="HasAlpha">Whether the last channel is alpha.</param>
/// <param name="Orientation">EXIF orientation, 1 (upright) to 8.</param>
public sealed record ImageInfo(ImageFormat Format, int Width, int Height, int Channels, bool HasAlpha, int Orientation);
