using Recsys.Imaging.Native;

namespace Recsys.Imaging;

/// <summary>Encodes RGB as WebP without metadata. Same input, same bytes.</summary>
public static class WebPEncoder
{
    /// <summary>Longest side of a WebP picture.</summary>
    public const int MaxSide = 16_383;

    /// <param name="quality">1 to 100; of a lossless picture, how hard it is packed.</param>
    /// <param name="lossless">Every pixel comes out as it went in.</param>
    /// <param name="effort">0 (fast) to 6 (small).</param>
    /// <exception cref="ImageException">A quality, an effort or a side out of its range.</exception>
    public static byte[] Encode(Picture picture, int quality = 85, bool lossless = false, int effort = 4)
    {
        if (quality is < 1 or > 100 || effort is < 0 or > 6 || picture.Width > MaxSide || picture.Height > MaxSide)
        {
            throw new ImageException($"WebP of {picture.Width} × {picture.Height} pixels at quality {quality}, effort {effort}: sides reach {MaxSide:N0}, quality goes from 1 to 100, effort from 0 to 6.");
        }

        VipsRuntime.Ensure();
        using var image = VipsImage.FromMemory(picture.Rgb, picture.Width, picture.Height, 3);
        using var save = new VipsOperation("webpsave_buffer").Set("in", image).Set("Q", quality).Set("lossless", lossless).Set("effort", effort).Set("strip", true);
        return save.Run().Bytes();
    }
}
