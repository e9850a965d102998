namespace Recsys.Imaging;

/// <summary>A decoded picture: sRGB, 8 bits a channel, rows from the top, interleaved.</summary>
public sealed class Picture
{
    /// <param name="rgb">[height × width × 3]; kept, not copied.</param>
    /// <exception cref="ImageException">A side below 1, or an array of another length.</exception>
    public Picture(int width, int height, byte[] rgb)
    {
        if (width < 1 || height < 1 || rgb.LongLength != 3L * width * height)
        {
            throw new ImageException(
                $"A picture of {width} × {height} pixels needs {3L * width * height} bytes of RGB, not {rgb.Length}.");
        }

        (Width, Height, Rgb) = (width, height, rgb);
    }

    public int Width { get; }

    public int Height { get; }

    /// <summary>[Height × Width × 3], values 0 to 255.</summary>
    public byte[] Rgb { get; }

    /// <summary>A picture of one colour.</summary>
    /// <exception cref="ImageException">A side below 1.</exception>
    public static Picture Solid(int width, int height, Rgb colour)
    {
        var rgb = new byte[3L * Math.Max(width, 0) * Math.Max(height, 0)];
        for (int at = 0; at < rgb.Length; at += 3)
        {
            (rgb[at], rgb[at + 1], rgb[at + 2]) = (colour.R, colour.G, colour.B);
        }

        return new Picture(width, height, rgb);
    }
}
