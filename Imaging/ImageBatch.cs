using System.Runtime.ExceptionServices;

namespace Recsys.Imaging;

/// <summary>
/// Square pictures of a whole catalogue, decoded in parallel into one array, the same bytes whatever the number of threads. Items without
/// a picture, or with one that cannot be decoded, are white and are reported.
/// </summary>
/// <param name="Pixels">[Count, 3, Size, Size], values 0 to 255.</param>
/// <param name="Size">Side of each picture.</param>
/// <param name="Present">[Count] whether the item has a decoded picture.</param>
/// <param name="Errors">[Count] what was wrong with the item's file; null where nothing was, or where there is none.</param>
public sealed record ImageBatch(byte[] Pixels, int Size, bool[] Present, string?[] Errors)
{
    /// <summary>Values per picture: 3 × size × size.</summary>
    public int Stride => 3 * Size * Size;

    /// <summary>Items without a decoded picture, each with the reason.</summary>
    public IEnumerable<(int Item, string Why)> Missing =>
        from item in Enumerable.Range(0, Present.Length) where !Present[item] select (item, Errors[item] ?? "no picture");

    /// <param name="read">The file of item i, or null without one. Called for one item at a time, in no set order, from any thread, so
    /// that it may read a zip archive. What it throws ends the batch.</param>
    /// <exception cref="ImageException">A size outside 1 to 4,096, or more than fits one array.</exception>
    public static ImageBatch Load(Func<int, byte[]?> read, int count, int size, CancellationToken cancel = default)
    {
        ImageLimits.RequireFrame(size, size);
        Libvips.Require(); // its absence is no fault of an item
        long plane = size * size;
        if (count < 0 || 3 * plane * count > Array.MaxLength)
        {
            throw new ImageException($"{count} pictures of {size} × {size} pixels exceed {Array.MaxLength:N0} bytes; load them in parts.");
        }

        var batch = new ImageBatch(new byte[3 * plane * count], size, new bool[count], new string?[count]);
        Array.Fill(batch.Pixels, byte.MaxValue); // white, where no picture comes
        var gate = new Lock();
        try
        {
            var cores = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancel };
            Parallel.For(0, count, cores, item =>
            {
                byte[]? file;
                lock (gate)
                {
                    file = read(item);
                }

                if (file is not null)
                {
                    batch.Decode(item, file);
                }
            });
        }
        catch (AggregateException faults)
        {
            ExceptionDispatchInfo.Throw(faults.InnerExceptions[0]); // the reader's own
        }

        return batch;
    }

    /// <summary>The decoded pictures, 0 to 255 mapped evenly onto −1 to 1.</summary>
    /// <returns>[present, 3, Size, Size]</returns>
    public float[] ToFloats()
    {
        int[] present = [.. Enumerable.Range(0, Present.Length).Where(item => Present[item])];
        var floats = new float[present.Length * Stride];
        for (int at = 0; at < floats.Length; at++)
        {
            floats[at] = (2 * Pixels[(present[at / Stride] * Stride) + (at % Stride)] / 255f) - 1;
        }

        return floats;
    }

    private void Decode(int item, byte[] file)
    {
        try
        {
            Put(item, ImageDecoder.Decode(file, Size, Size));
            Present[item] = true;
        }
        catch (ImageException fault)
        {
            Errors[item] = fault.Message;
        }
    }

    private void Put(int item, Picture picture)
    {
        for (int channel = 0; channel < 3; channel++)
        {
            var plane = Pixels.AsSpan((item * Stride) + (channel * Size * Size), Size * Size);
            for (int at = 0; at < plane.Length; at++)
            {
                plane[at] = picture.Rgb[(3 * at) + channel];
            }
        }
    }
}
