using System.Runtime.InteropServices;
using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Imaging;

namespace Recsys.Embeddings.Images;

/// <summary>Principal components of small pictures ("eigenfaces", Turk and Pentland 1991): colour and rough shape, no training
/// needed.</summary>
public static class PcaEmbedder
{
    // Pictures decoded and projected at a time.
    private const int Chunk = 2048;

    /// <param name="unreadable">Called with each item whose picture cannot be decoded, and why; it lacks a vector.</param>
    /// <returns>One vector per item, of mean squared length 1; an item without a readable picture lacks one.</returns>
    /// <exception cref="CatalogException">An option is out of range, or the archive is damaged.</exception>
    public static EmbeddingMatrix Embed(
        IImageSource images, int items, ImageEmbeddingOptions options, long seed, Action<int, string>? unreadable = null,
        CancellationToken cancel = default)
    {
        Faults.ThrowIfAny("Embedding options", options.Check);
        var pictured = Enumerable.Range(0, items).Where(images.Has).ToArray();
        int inputs = 3 * options.Side * options.Side;
        var faults = new List<(int Item, string Why)>();
        var (sample, sampled) = Load(
            images, Sample(pictured, options.Sample, seed), options.Side, (item, why) => faults.Add((item, why)), cancel);
        bool whole = pictured.Length <= options.Sample;
        if (whole || sample.Length < 2 * inputs)
        {
            faults.ForEach(fault => unreadable?.Invoke(fault.Item, fault.Why));
        }

        if (sample.Length < 2 * inputs)
        {
            return SparseMatrix.None(ImageEncoder.Name, items, options.Dim);
        }

        string space = SpaceName.Fitted("PCA", (options, seed), MemoryMarshal.AsBytes<float>(sample));
        var components = PrincipalComponents.Fit(sample, inputs, options.Dim, seed, options.PowerIterations, cancel);
        var (data, present) = (new float[items * components.Dim], new bool[items]);
        foreach (int[] chunk in whole ? [sampled] : pictured.Chunk(Chunk))
        {
            var (pixels, loaded) = whole ? (sample, sampled) : Load(images, chunk, options.Side, unreadable, cancel);
            var scores = components.Project(pixels);
            for (int row = 0; row < loaded.Length; row++)
            {
                present[loaded[row]] = true;
                scores.AsSpan(row * components.Dim, components.Dim).CopyTo(data.AsSpan(loaded[row] * components.Dim));
            }
        }

        return new EmbeddingMatrix(ImageEncoder.Name, components.Dim, data, present) { Space = space };
    }

    /// <returns>[loaded × 3·side·side] values −1 to 1, and the items that were loaded.</returns>
    private static (float[] Pixels, int[] Items) Load(
        IImageSource images, int[] items, int side, Action<int, string>? unreadable, CancellationToken cancel)
    {
        var batch = ImageBatch.Load(i => images.Read(items[i]), items.Length, side, cancel: cancel);
        var floats = batch.ToFloats();
        int kept = 0;
        var loaded = new List<int>(items.Length);
        for (int i = 0; i < items.Length; i++)
        {
            if (batch.Present[i])
            {
                Array.Copy(floats, i * batch.Stride, floats, kept++ * batch.Stride, batch.Stride);
                loaded.Add(items[i]);
            }
            else
            {
                unreadable?.Invoke(items[i], batch.Errors[i] ?? "no picture");
            }
        }

        return (floats[..(kept * batch.Stride)], [.. loaded]);
    }

    private static int[] Sample(int[] items, int count, long seed)
    {
        var shuffled = (int[])items.Clone();
        new Random(Seeds.ToInt32(seed)).Shuffle(shuffled);
        return [.. shuffled.Take(count).Order()];
    }
}
