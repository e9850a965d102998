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

    /// <param name="unreadable">Called with items whose picture cannot be decoded, and why, once or more; they lack a vector.</param>
    /// <returns>One vector per item, of mean squared length 1; an item without a readable picture lacks one.</returns>
    /// <exception cref="CatalogException">An option is out of range, or the archive is damaged.</exception>
    public static EmbeddingMatrix Embed(
        IImageSource images, int items, ImageEmbeddingOptions options, long seed, Action<int, string> unreadable,
        CancellationToken cancel = default)
    {
        Faults.ThrowIfAny("Embedding options", options.Check);
        int[] pictured = [.. Enumerable.Range(0, items).Where(images.Has)];
        int inputs = 3 * options.Side * options.Side;
        var (sample, sampled) = Load(Sample(pictured, options.Sample, seed));
        bool whole = pictured.Length <= options.Sample; // then each picture is decoded once
        if (sample.Length < 2 * inputs)
        {
            return EmbeddingMatrix.Of(ImageEncoder.Name, options.Dim, items, []);
        }

        var components = PrincipalComponents.Fit(sample, inputs, options.Dim, seed, options.PowerIterations, cancel);
        return EmbeddingMatrix.Of(
            ImageEncoder.Name, components.Dim, items, (whole ? [sampled] : pictured.Chunk(Chunk)).SelectMany(Project),
            SpaceName.Fitted("PCA", (options, seed), MemoryMarshal.AsBytes<float>(sample)));

        IEnumerable<(int Item, ReadOnlyMemory<float> Scores)> Project(int[] chunk)
        {
            var (pixels, loaded) = whole ? (sample, sampled) : Load(chunk);
            float[] scores = components.Project(pixels);
            return loaded.Select((item, row) => (item, (ReadOnlyMemory<float>)scores.AsMemory(row * components.Dim, components.Dim)));
        }

        // [loaded × 3·side·side] values −1 to 1, and the items that were loaded.
        (float[] Pixels, int[] Items) Load(int[] of)
        {
            var batch = ImageBatch.Load(i => images.Read(of[i]), of.Length, options.Side, cancel: cancel);
            foreach (var (i, why) in batch.Missing)
            {
                unreadable(of[i], why);
            }

            return (batch.ToFloats(), [.. of.Where((_, i) => batch.Present[i])]);
        }
    }

    private static int[] Sample(int[] items, int count, long seed)
    {
        var shuffled = (int[])items.Clone();
        new Random(Seeds.ToInt32(seed)).Shuffle(shuffled);
        return [.. shuffled.Take(count).Order()];
    }
}
