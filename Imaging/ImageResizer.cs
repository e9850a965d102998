using NetVips;

namespace Recsys.Imaging;

/// <summary>Resizes with Lanczos-3 (antialiased when shrinking, bicubic when enlarging), on sRGB values as training code does.</summary>
public static class ImageResizer
{
    /// <summary>The picture in another size; proportions are the caller's.</summary>
    /// <exception cref="ImageException">A side outside 1 to <see cref="ImageLimits.MaxFrameSide"/>.</exception>
    public static Picture Resize(Picture picture, int width, int height)
    {
        ImageLimits.RequireFrame(width, height);
        Libvips.Require();
        using var image = Open(picture);
        using var sized = Resize(image, width, height);
        return new Picture(width, height, sized.WriteToMemory<byte>());
    }

    internal static Image Open(Picture picture) =>
        Image.NewFromMemoryCopy<byte>(picture.Rgb, picture.Width, picture.Height, 3, Enums.BandFormat.Uchar);

    internal static Image Resize(Image image, int width, int height) =>
        image.Resize((double)width / image.Width, Enums.Kernel.Lanczos3, vscale: (double)height / image.Height);
}
