namespace Recsys.Imaging;

/// <summary>EXIF orientation (CIPA DC-008, tag 0x0112): how stored rows and columns lie in the upright picture.</summary>
internal static class ImageOrientation
{
    public static Picture Upright(Picture stored, int orientation)
    {
        if (orientation is <= 1 or > 8)
        {
            return stored;
        }

        bool sideways = orientation >= 5;
        int width = sideways ? stored.Height : stored.Width, height = sideways ? stored.Width : stored.Height;
        var rgb = new byte[stored.Rgb.Length];
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                var (fromX, fromY) = orientation switch
                {
                    2 => (width - 1 - x, y),
                    3 => (width - 1 - x, height - 1 - y),
                    4 => (x, height - 1 - y),
                    5 => (y, x),
                    6 => (y, width - 1 - x),
                    7 => (height - 1 - y, width - 1 - x),
                    _ => (height - 1 - y, x),
                };
                stored.Rgb.AsSpan(3 * ((fromY * stored.Width) + fromX), 3).CopyTo(rgb.AsSpan(3 * ((y * width) + x)));
            }
        }

        return new Picture(width, height, rgb);
    }
}
