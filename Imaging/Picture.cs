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
}
