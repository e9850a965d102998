using Recsys.Catalog.Ports;
using Recsys.Embeddings.Images;
using Recsys.Imaging;

namespace Recsys.Embeddings.Tests;

public class PcaEmbedderTests
{
    [Fact]
    public void Principal_components_are_those_of_a_known_ellipse()
    {
        // Points on two orthogonal axes through (10, 20, 30): variance 9 along (3, 4, 0)/5, 1 along (0, 0, 1).
        float[] along = [-3, 3, -3, 3];
        float[] data = [.. along.SelectMany((s, i) => new[] { 10 + (s * 0.6f), 20 + (s * 0.8f), 30 + (i < 2 ? 1f : -1f) })];
        var components = PrincipalComponents.Fit((float[])data.Clone(), 3, 2, 1, 4);
        Assert.Equal([10, 20, 30], components.Mean);
        Assert.Equal(0.6, components.Directions[0], 4);
        Assert.Equal(0.8, components.Directions[2], 4);
        Assert.Equal(1, Math.Abs(components.Directions[5]), 4);
        var scores = components.Project(data);
        Assert.Equal(1, scores.Sum(s => s * s) / 4, 4);
        Assert.Equal(3, Math.Abs(scores[0] / scores[1]), 3);
    }

    [Fact]
    public void Pictures_alike_are_near_and_items_without_a_readable_picture_lack_a_vector()
    {
        var red = Png(220, 20, 20);
        using var images = new Pictures([red, Png(210, 25, 20), Png(10, 20, 230), Png(20, 15, 220), null, [1, 2, 3], red[..40]]);
        var faults = new SortedSet<int>();
        var vectors = PcaEmbedder.Embed(images, 7, new ImageEmbeddingOptions(Dim: 2, Side: 8), 1, (item, _) => faults.Add(item));
        Assert.Equal([true, true, true, true, false, false, false], vectors.Present);
        Assert.Equal([5, 6], faults);
        Assert.True(TfIdfEmbedderTests.Cosine(vectors, 0, 1) > 0.5);
        Assert.True(TfIdfEmbedderTests.Cosine(vectors, 0, 2) < -0.5);
        Assert.Equal(4, Enumerable.Range(0, 4).Sum(i => TfIdfEmbedderTests.Cosine(vectors, i, i)), 3);
    }

    [Fact]
    public void No_readable_picture_gives_an_embedding_that_no_item_has()
    {
        using var images = new Pictures([null, [9, 9]]);
        Assert.DoesNotContain(true, PcaEmbedder.Embed(images, 2, new ImageEmbeddingOptions(), 1, (_, _) => { }).Present);
    }

    internal static byte[] Png(byte red, byte green, byte blue) =>
        PngEncoder.Encode(new Picture(12, 12, [.. Enumerable.Repeat<byte[]>([red, green, blue], 12 * 12).SelectMany(rgb => rgb)]));

    private sealed class Pictures(byte[]?[] files) : IImageSource
    {
        public bool Has(int item) => files[item] is not null;

        public byte[]? Read(int item) => files[item];

        public void Dispose()
        {
        }
    }
}
