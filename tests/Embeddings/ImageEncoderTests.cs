using Recsys.Catalog;
using Recsys.Embeddings.Images;
using Recsys.Imaging;

namespace Recsys.Embeddings.Tests;

public sealed class ImageEncoderTests
{
    [Fact]
    public void A_picture_has_the_same_unit_vector_alone_and_among_others_and_an_unreadable_one_has_none()
    {
        using var encoder = ImageEncoder.Open(new ImageEmbeddingOptions());
        byte[][] files = [Stripes(3, horizontal: true), Stripes(3, horizontal: false), [1, 2, 3], Stripes(9, horizontal: true)];
        var faults = new List<int>();
        int done = 0;
        var vectors = encoder.Encode(i => files[i], files.Length, (i, _) => faults.Add(i), count => done = count);
        Assert.Equal([2], faults);
        Assert.Equal(4, done);
        Assert.Null(vectors[2]);
        foreach (int i in new[] { 0, 1, 3 })
        {
            var alone = encoder.Encode(_ => files[i], 1, (_, _) => Assert.Fail())[0]!;
            Assert.Equal(512, alone.Length);
            Assert.Equal(1, TextEncoderTests.Cosine(alone, alone), 5);
            Assert.All(alone.Zip(vectors[i]!), pair => Assert.True(Math.Abs(pair.First - pair.Second) < 1e-5));
        }
    }

    [Fact]
    public void The_preprocessing_takes_a_mean_picture_off_blue_first()
    {
        // Of ImageNet: blue 104, green 117, red 124 in the mean, whatever the place.
        using var model = OnnxModel.Open(PackagedModels.PathOf("ResNetPreprocess.onnx"));
        using var black = Microsoft.ML.OnnxRuntime.OrtValue.CreateTensorValueFromMemory(new float[3 * 224 * 224], [1, 3, 224, 224]);
        using var output = model.Run(
            new Dictionary<string, Microsoft.ML.OnnxRuntime.OrtValue> { ["OriginalInput"] = black }, "PreprocessedInput");
        float[] mean = output.GetTensorDataAsSpan<float>().ToArray();
        double[] means = [.. Enumerable.Range(0, 3).Select(channel => -mean.Skip(channel * 224 * 224).Take(224 * 224).Average())];
        Assert.True(means[0] < means[1] && means[1] < means[2], string.Join(' ', means));
        Assert.All(means.Zip([104.0, 117.0, 124.0]), pair => Assert.InRange(pair.First, pair.Second - 8, pair.Second + 8));
    }

    [Fact]
    public void Pictures_of_one_kind_are_nearer_than_others_in_colours_of_their_own()
    {
        using var encoder = ImageEncoder.Open(new ImageEmbeddingOptions());
        byte[][] files = [Stripes(4, horizontal: true), Stripes(5, horizontal: true), PcaEmbedderTests.Png(250, 250, 250)];
        var v = encoder.Encode(i => files[i], 3, (_, _) => Assert.Fail());
        Assert.True(TextEncoderTests.Cosine(v[0]!, v[1]!) > TextEncoderTests.Cosine(v[0]!, v[2]!) + 0.1);
    }

    [Fact]
    public void A_model_of_ones_own_is_run_and_one_that_does_not_fit_says_what_it_has()
    {
        byte[] file = Stripes(4, horizontal: true);
        using (var own = ImageEncoder.Open(new ImageEmbeddingOptions(Model: PackagedModels.PathOf("ResNet18.onnx"))))
        {
            Assert.Equal(512, own.Encode(_ => file, 1, (_, _) => Assert.Fail())[0]!.Length);
        }

        string message = Assert.Throws<CatalogException>(
            () => ImageEncoder.Open(new ImageEmbeddingOptions(Model: PackagedModels.PathOf("ResNetPreprocess.onnx")))).Message;
        Assert.Contains("PreprocessedInput (Single [1, 3, 224, 224])", message, StringComparison.Ordinal);
        Assert.Contains("wanted: one float input", message, StringComparison.Ordinal);
    }

    private static byte[] Stripes(int width, bool horizontal)
    {
        var rgb = new byte[64 * 64 * 3];
        for (int at = 0; at < 64 * 64; at++)
        {
            bool dark = ((horizontal ? at / 64 : at % 64) / width) % 2 == 0;
            (rgb[3 * at], rgb[(3 * at) + 1], rgb[(3 * at) + 2]) = dark ? ((byte)200, (byte)30, (byte)20) : ((byte)240, (byte)230, (byte)90);
        }

        return PngEncoder.Encode(new Picture(64, 64, rgb));
    }
}
