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
            throw new ImageException($"A picture of {width} × {height} pixels needs {3L * width * height} bytes of RGB, not {rgb.LongLength}.");
        }

        (Width, Height, Rgb) = (width, height, rgb);
    }

    public int Width { get; }

    public int Height { get; }

    /// <summary>[Height × Width × 3], values 0 to 255.</summary>
    public byte[] Rgb { get; }

    /// <summary>A picture of one colour.</summary>
    public static Picture Solid(int width, int height, Rgb colour)
    {
        if (width < 1 || height < 1 || 3L * width * height > Array.MaxLength)
        {
            throw new ImageException($"No picture has {width} × {height} pixels: sides start at 1, and {Array.MaxLength} bytes are the most.");
        }

        var rgb = new byte[3 * width * height];
        for (int at = 0; at < rgb.Length; at += 3)
        {
            (rgb[at], rgb[at + 1], rgb[at + 2]) = (colour.R, colour.G, colour.B);
        }

        return new Picture(width, height, rgb);
    }

    /// <summary>Copies <paramref name="source"/> into this picture with its top left corner at (x, y); it must fit.</summary>
    /// <exception cref="ImageException">It does not fit.</exception>
    public void Paste(Picture source, int x, int y)
    {
        if (x < 0 || y < 0 || x > Width - source.Width || y > Height - source.Height)
        {
            throw new ImageException($"A picture of {source.Width} × {source.Height} at ({x}, {y}) does not fit into {Width} × {Height}.");
        }

        for (int row = 0; row < source.Height; row++)
        {
            source.Rgb.AsSpan(3 * row * source.Width, 3 * source.Width).CopyTo(Rgb.AsSpan(3 * (((y + row) * Width) + x)));
        }
    }

    /// <summary>The same picture in the middle of a square of its longer side; itself when it is one already.</summary>
    public Picture PadToSquare(Rgb background)
    {
        if (Width == Height)
        {
            return this;
        }

        int side = Math.Max(Width, Height);
        var square = Solid(side, side, background);
        square.Paste(this, (side - Width) / 2, (side - Height) / 2);
        return square;
    }
}
