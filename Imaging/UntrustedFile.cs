namespace Recsys.Imaging;

/// <summary>What a file's first bytes and its structure say, and libvips does not limit by itself.</summary>
internal static class UntrustedFile
{
    // A valid JPEG may ask for 2,700 walks over all its pixels in a few kilobytes; encoders write 1 to 12 scans.
    private const int MaxScans = 100;

    // libwebp looks every frame up from the first one on: half a million take minutes, though only the first is decoded.
    private const int MaxFrames = 1000;

    private static ReadOnlySpan<byte> JpegStart => [0xFF, 0xD8, 0xFF];

    private static ReadOnlySpan<byte> JpegScan => [0xFF, 0xDA];

    /// <returns>The format, and the bytes that are to be decoded.</returns>
    /// <exception cref="ImageException">Too large, neither PNG, JPEG nor WebP, or made to keep a decoder busy.</exception>
    public static (string Format, byte[] Bytes) Check(ReadOnlySpan<byte> file)
    {
        Limit(file.Length, ImageLimits.MaxBytes, "bytes in the file");
        if (file.StartsWith(PngChunks.Signature))
        {
            return ("PNG", PngChunks.Essential(file));
        }

        if (file.StartsWith(JpegStart))
        {
            Limit(file.Count(JpegScan), MaxScans, "scans in the JPEG");
            return ("JPEG", file.ToArray());
        }

        if (file.Length >= 12 && file.StartsWith("RIFF"u8) && file[8..].StartsWith("WEBP"u8))
        {
            Limit(file.Count("ANMF"u8), MaxFrames, "frames in the WebP");
            if (file.Length >= 30 && file[12..].StartsWith("VP8X"u8))
            {
                // libvips takes memory for the whole canvas of an animation when it reads the header.
                static int Side(ReadOnlySpan<byte> at) => 1 + (at[0] | (at[1] << 8) | (at[2] << 16));
                ImageLimits.RequireSize(Side(file[24..]), Side(file[27..]), whole: true);
            }

            return ("WebP", file.ToArray());
        }

        string first = file.IsEmpty ? "it is empty" : $"it begins with {Convert.ToHexString(file[..Math.Min(8, file.Length)])}";
        throw new ImageException($"Not a picture in PNG, JPEG or WebP: {first}. Convert it to one of these.");
    }

    private static void Limit(int found, int max, string what)
    {
        if (found > max)
        {
            throw new ImageException($"{found:N0} {what}; at most {max:N0} are decoded. Export the picture again, smaller or simpler.");
        }
    }
}
