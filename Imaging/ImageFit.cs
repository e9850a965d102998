namespace Recsys.Imaging;

/// <summary>How a picture of other proportions meets its frame; proportions are kept.</summary>
public enum ImageFit
{
    /// <summary>The whole picture, in the middle of the background.</summary>
    Contain,

    /// <summary>The whole frame; what reaches over its edges is cut off on both sides alike.</summary>
    Cover,
}
