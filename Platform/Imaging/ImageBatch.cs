namespace Recsys.Imaging;

/// <summary>Order of a batch's axes.</summary>
public enum BatchLayout
{
    /// <summary>[count, 3, size, size], as networks read it.</summary>
    Nchw,

    /// <summary>[count, size, size, 3], as pictures are stored.</summary>
    Nhwc,
}

/// <summary>
/// Square pictures of a whole catalogue, decoded in parallel straight into one array. Items without a picture, or with one that
/// cannot be decoded, keep the background's colour and are reported.
/// </summary>
public sealed class ImageBatch
{
    private ImageBatch(byte[] pixels, int size, BatchLayout layout, bool[] present, string?[] errors) =>
        (Pixels, Size, Layout, Present, Errors) = (pixels, size, layout, present, errors);

    /// <summary>In <see cref="Layout"/>, values 0 to 255.</summary>
    public byte[] Pixels { get; }

    /// <summary>Side of each picture.</summary>
    public int Size { get; }

    public BatchLayout Layout { get; }

    public int Count => Present.Length;

    /// <summary>[count]; whether the item has a decoded picture.</summary>
    public bool[] Present { get; }

    /// <summary>[count]; what was wrong with the item's file, null where nothing was or where there is none.</summary>
    public string?[] Errors { get; }

    /// <summary>Values per picture: 3 × size × size.</summary>
    public int Stride => 3 * Size * Size;

    /// <param name="read">The file of item i, or null without one. Called for one item at a time, in no set order, from any thread:
    /// a zip archive may be read by it.</param>
    /// <param name="name">Name of item i's file, for errors; null for its number.</param>
    /// <exception cref="ImageException">A size outside 1 to 4,096, more than fits one array, or no libvips.</exception>
    public static ImageBatch Load(
        Func<int, byte[]?> read,
        int count,
        int size,
        BatchLayout layout = BatchLayout.Nchw,
        DecodeOptions? options = null,
        Func<int, string>? name = null,
        CancellationToken cancel = default)
    {
        if (size is < 1 or > ImageResizer.MaxSide || count < 0 || 3L * size * size * count > Array.MaxLength)
        {
            throw new ImageException($"A batch of {count} pictures of {size} × {size}: sides go from 1 to {ImageResizer.MaxSide}, and {Array.MaxLength:N0} bytes are the most; load it in parts.");
        }

        var pixels = new byte[3L * size * size * count];
        var (present, errors) = BatchLoader.Load<byte>(read, count, size, size, pixels, null, layout, ImageFit.Contain, options, name, cancel);
        return new ImageBatch(pixels, size, layout, present, errors);
    }

    /// <summary>
    /// Decodes in parallel straight into the caller's bytes [count, 3, height, width] (or [count, height, width, 3]), values 0 to 255.
    /// Items without a picture, or with a damaged one, show the background.
    /// </summary>
    /// <inheritdoc cref="LoadInto(Func{int, byte[]?}, int, int, int, Memory{float}, float, float, BatchLayout, ImageFit, DecodeOptions?, Func{int, string}?, CancellationToken)"/>
    public static (bool[] Present, string?[] Errors) LoadInto(
        Func<int, byte[]?> read,
        int count,
        int width,
        int height,
        Memory<byte> pixels,
        BatchLayout layout = BatchLayout.Nchw,
        ImageFit fit = ImageFit.Contain,
        DecodeOptions? options = null,
        Func<int, string>? name = null,
        CancellationToken cancel = default) => BatchLoader.Load(read, count, width, height, pixels, null, layout, fit, options, name, cancel);

    /// <summary>
    /// Decodes in parallel straight into the caller's floats, 0 to 255 mapped evenly onto <paramref name="low"/> to
    /// <paramref name="high"/>: the memory of a tensor [count, 3, height, width].
    /// </summary>
    /// <returns>[count] which items have a decoded picture, and what was wrong with the others' files, null where there was none.</returns>
    /// <exception cref="ImageException">A side outside 1 to 4,096, pixels of another length, or no libvips.</exception>
    public static (bool[] Present, string?[] Errors) LoadInto(
        Func<int, byte[]?> read,
        int count,
        int width,
        int height,
        Memory<float> pixels,
        float low = -1,
        float high = 1,
        BatchLayout layout = BatchLayout.Nchw,
        ImageFit fit = ImageFit.Contain,
        DecodeOptions? options = null,
        Func<int, string>? name = null,
        CancellationToken cancel = default) => BatchLoader.Load(read, count, width, height, pixels, Table(low, high), layout, fit, options, name, cancel);

    /// <summary>The batch as floats, 0 to 255 mapped evenly onto <paramref name="low"/> to <paramref name="high"/>.</summary>
    public float[] ToFloats(float low = -1, float high = 1)
    {
        float[] table = Table(low, high);
        var floats = new float[Pixels.Length];
        for (int at = 0; at < floats.Length; at++)
        {
            floats[at] = table[Pixels[at]];
        }

        return floats;
    }

    /// <summary>One picture of the batch, interleaved.</summary>
    public Picture Picture(int item)
    {
        var source = Pixels.AsSpan(item * Stride, Stride);
        if (Layout == BatchLayout.Nhwc)
        {
            return new Picture(Size, Size, source.ToArray());
        }

        var rgb = new byte[Stride];
        int plane = Size * Size;
        for (int at = 0; at < plane; at++)
        {
            (rgb[3 * at], rgb[(3 * at) + 1], rgb[(3 * at) + 2]) = (source[at], source[plane + at], source[(2 * plane) + at]);
        }

        return new Picture(Size, Size, rgb);
    }

    private static float[] Table(float low, float high) =>
        [.. Enumerable.Range(0, 256).Select(value => low + ((high - low) * value / 255f))];
}
