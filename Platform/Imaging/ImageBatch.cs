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

        Native.VipsRuntime.Ensure();
        options ??= DecodeOptions.Default;
        DecodeOptions Options(int item) => options with { File = name?.Invoke(item) ?? $"picture {item}" };
        int stride = 3 * size * size;
        var (pixels, present, errors) = (new byte[(long)stride * count], new bool[count], new string?[count]);
        var gate = new Lock();
        Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancel }, item =>
        {
            byte[]? file;
            lock (gate)
            {
                file = read(item);
            }

            var target = pixels.AsSpan(item * stride, stride);
            Picture? picture = null;
            if (file is not null)
            {
                try
                {
                    picture = ImageDecoder.DecodeSquare(file, size, Options(item));
                    present[item] = true;
                }
                catch (ImageException fault)
                {
                    errors[item] = fault.Message;
                }
            }

            Place((picture ?? Imaging.Picture.Solid(size, size, options.Background)).Rgb, target, layout);
        });

        // libvips keeps one error text for all threads, so a message may be another picture's: ask again for each fault, one by one.
        for (int item = 0; item < count; item++)
        {
            if (errors[item] is not null && read(item) is { } file)
            {
                try
                {
                    ImageDecoder.DecodeSquare(file, size, Options(item));
                }
                catch (ImageException fault)
                {
                    errors[item] = fault.Message;
                }
            }
        }

        return new ImageBatch(pixels, size, layout, present, errors);
    }

    /// <summary>The batch as floats, 0 to 255 mapped evenly onto <paramref name="low"/> to <paramref name="high"/>.</summary>
    public float[] ToFloats(float low = -1, float high = 1)
    {
        var table = new float[256];
        for (int value = 0; value < 256; value++)
        {
            table[value] = low + ((high - low) * value / 255f);
        }

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

    private static void Place(ReadOnlySpan<byte> rgb, Span<byte> target, BatchLayout layout)
    {
        if (layout == BatchLayout.Nhwc)
        {
            rgb.CopyTo(target);
            return;
        }

        int plane = target.Length / 3;
        for (int at = 0; at < plane; at++)
        {
            (target[at], target[plane + at], target[(2 * plane) + at]) = (rgb[3 * at], rgb[(3 * at) + 1], rgb[(3 * at) + 2]);
        }
    }
}
