namespace Recsys.Imaging;

/// <summary>How a picture of other proportions meets its frame.</summary>
public enum ImageFit
{
    /// <summary>The whole picture, in the middle of the background.</summary>
    Contain,

    /// <summary>The whole frame; what reaches over its edges is cut off on both sides alike.</summary>
    Cover,

    /// <summary>Whole picture and whole frame: proportions are not kept.</summary>
    Stretch,
}

/// <summary>Sizes that a fit comes to.</summary>
internal static class Fitting
{
    /// <summary>The size of the resized picture before anything is cut.</summary>
    public static (int Width, int Height) Size(int width, int height, int toWidth, int toHeight, ImageFit fit)
    {
        double x = (double)toWidth / width, y = (double)toHeight / height;
        double scale = fit == ImageFit.Cover ? Math.Max(x, y) : Math.Min(x, y);
        return fit == ImageFit.Stretch || x == y ? (toWidth, toHeight)
            : scale == x ? (toWidth, Math.Max(1, (int)Math.Round(height * x)))
            : (Math.Max(1, (int)Math.Round(width * y)), toHeight);
    }
}
