namespace Recsys.Imaging.Tests;

/// <summary>Pictures that the tests share.</summary>
internal static class Pictures
{
    public static Picture Noise(int width, int height, int seed)
    {
        var rgb = new byte[3 * width * height];
        new Random(seed).NextBytes(rgb);
        return new Picture(width, height, rgb);
    }

    public static Picture Solid(int width, int height, Rgb colour) =>
        new(width, height, [.. Enumerable.Repeat<byte[]>([colour.R, colour.G, colour.B], width * height).SelectMany(rgb => rgb)]);

    public static Picture Smooth(int width, int height) => From(width, height, (x, y) =>
        new Rgb((byte)(40 + (170 * x / width)), (byte)(200 - (150 * y / height)), (byte)(60 + (100 * (x + y) / (width + height)))));

    public static Picture From(int width, int height, Func<int, int, Rgb> colour)
    {
        var picture = Solid(width, height, default);
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                var value = colour(x, y);
                int at = At(picture, x, y);
                (picture.Rgb[at], picture.Rgb[at + 1], picture.Rgb[at + 2]) = (value.R, value.G, value.B);
            }
        }

        return picture;
    }

    public static Rgb Pixel(this Picture picture, int x, int y)
    {
        int at = At(picture, x, y);
        return new Rgb(picture.Rgb[at], picture.Rgb[at + 1], picture.Rgb[at + 2]);
    }

    public static double MeanDifference(Picture left, Picture right) =>
        left.Rgb.Zip(right.Rgb, (a, b) => (double)Math.Abs(a - b)).Average();

    /// <summary>What the refusal of a picture says.</summary>
    public static string Refusal(Func<object> attempt) => Assert.Throws<ImageException>(attempt).Message;

    private static int At(Picture picture, int x, int y) => 3 * ((y * picture.Width) + x);
}
