using Recsys.Imaging.Native;

namespace Recsys.Imaging;

/// <summary>Encodes RGB as JPEG with optimised Huffman tables and no metadata. Same input, same bytes.</summary>
public static class JpegEncoder
{
    /// <param name="quality">1 to 100.</param>
    /// <param name="progressive">Several scans, coarse to fine, instead of one from top to bottom.</param>
    /// <param name="fullColour">Colour at full resolution; otherwise halved both ways below quality 90.</param>
    /// <exception cref="ImageException">A quality out of its range, or a side above 65,500 pixels.</exception>
    public static byte[] Encode(Picture picture, int quality = 90, bool progressive = false, bool fullColour = false)
    {
        if (quality is < 1 or > 100 || picture.Width > 65_500 || picture.Height > 65_500)
        {
            throw new ImageException($"JPEG of {picture.Width} × {picture.Height} pixels at quality {quality}: sides reach 65,500, quality goes from 1 to 100.");
        }

        VipsRuntime.Ensure();
        using var image = VipsImage.FromMemory(picture.Rgb, picture.Width, picture.Height, 3);
        using var save = new VipsOperation("jpegsave_buffer").Set("in", image).Set("Q", quality).Set("optimize_coding", true).Set("strip", true)
            .Set("interlace", progressive).Set("subsample_mode", fullColour ? "off" : "auto");
        return save.Run().Bytes();
    }
}
