namespace Recsys.Imaging;

/// <summary>
/// Pictures that no decoder can read row by row: interlaced PNG, progressive JPEG, WebP. Their size is limited, and of the large ones one
/// is decoded at a time, so that a batch of hostile files takes the memory of one.
/// </summary>
internal static class HeldWhole
{
    /// <summary>Most pixels of such a picture: at most 256 MB while it is decoded.</summary>
    public const long MostPixels = 32_000_000;

    private const long Large = 2_000_000;
    private static readonly Lock Turn = new();

    /// <summary>Runs a decode, alone among the large ones.</summary>
    public static T InTurn<T>(bool whole, long pixels, Func<T> decode)
    {
        if (!whole || pixels <= Large)
        {
            return decode();
        }

        lock (Turn)
        {
            return decode();
        }
    }
}
