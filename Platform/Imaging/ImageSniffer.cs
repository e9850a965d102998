using System.Buffers.Binary;

namespace Recsys.Imaging;

/// <summary>Tells the format by the first bytes; a PNG must also be whole (libvips accepts one whose last chunk is missing).</summary>
internal static class ImageSniffer
{
    public static ReadOnlySpan<byte> PngSignature => [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    /// <exception cref="ImageException">Neither PNG, JPEG nor WebP, or visibly truncated.</exception>
    public static ImageFormat Sniff(ReadOnlySpan<byte> file, string? name)
    {
        if (file.StartsWith(PngSignature))
        {
            return PngChunks.Fault(file) is { } fault ? throw new ImageException(fault, name) : ImageFormat.Png;
        }

        if (file.Length > 3 && file[0] == 0xFF && file[1] == 0xD8 && file[2] == 0xFF)
        {
            return ImageFormat.Jpeg;
        }

        if (file.Length >= 12 && file.StartsWith("RIFF"u8) && file[8..].StartsWith("WEBP"u8))
        {
            uint riff = BinaryPrimitives.ReadUInt32LittleEndian(file[4..]);
            return riff <= file.Length - 8 ? ImageFormat.WebP : throw new ImageException($"A truncated WebP: {file.Length - 8} bytes of {riff}.", name);
        }

        string first = file.IsEmpty ? "it is empty" : $"it begins with {Convert.ToHexString(file[..Math.Min(8, file.Length)])}";
        throw new ImageException($"Not a picture in PNG, JPEG or WebP: {first}. Convert it to one of these.", name);
    }
}
