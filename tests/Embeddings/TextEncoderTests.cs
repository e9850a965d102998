using Recsys.Catalog;
using Recsys.Embeddings.Text;

namespace Recsys.Embeddings.Tests;

public sealed class TextEncoderTests(TextEncoderTests.MiniLm model) : IClassFixture<TextEncoderTests.MiniLm>
{
    public sealed class MiniLm : IDisposable
    {
        internal TextEncoder Encoder { get; } = TextEncoder.Open(new TextEmbeddingOptions());

        public void Dispose() => Encoder.Dispose();
    }

    [Fact]
    public void A_text_has_the_same_vector_alone_and_in_any_batch()
    {
        string[] texts =
        [
            "red nail polish", "a", "", string.Concat(Enumerable.Repeat("very long text ", 400)), "日本 茶", "red nail polish",
            .. Enumerable.Range(0, 200).Select(i => string.Concat(Enumerable.Repeat($"item {i} ", 1 + (i % 17)))),
        ];
        var together = model.Encoder.Encode(texts);
        var reversed = model.Encoder.Encode([.. texts.Reverse()]);
        for (int i = 0; i < texts.Length; i++)
        {
            var alone = model.Encoder.Encode([texts[i]])[0]!;
            Assert.Equal(384, alone.Length);
            Assert.Equal(1, Cosine(alone, alone), 5);
            Assert.All(alone.Zip(together[i]!, reversed[^(i + 1)]!), v => Assert.True(
                Math.Abs(v.First - v.Second) < 1e-5 && Math.Abs(v.First - v.Third) < 1e-5, $"text {i}"));
        }
    }

    [Fact]
    public void Nothing_to_encode_gives_nothing() => Assert.Empty(model.Encoder.Encode([]));

    [Fact]
    public void Accents_case_and_kinds_of_white_space_change_nothing()
    {
        var vectors = model.Encoder.Encode(
            ["cafe table", "Café table", "CAFÉ\u00a0\tTable\n", "caf\u00e8\r\ntable", "cafe\u0301\u2003table"]);
        Assert.All(vectors, vector => Assert.Equal(1, Cosine(vectors[0]!, vector!), 5));
    }

    // The model was made for 256 tokens, the package that carries it cuts at 512.
    [Fact]
    public void What_stands_behind_256_tokens_changes_nothing()
    {
        string full = string.Concat(Enumerable.Repeat("red ", 254));
        var vectors = model.Encoder.Encode([full, full + string.Concat(Enumerable.Repeat("garden hose ", 100)), "red garden hose"]);
        Assert.Equal(1, Cosine(vectors[0]!, vectors[1]!), 5);
        Assert.True(Cosine(vectors[0]!, vectors[2]!) < 0.9);
    }

    [Fact]
    public void Titles_of_one_meaning_are_nearer_than_others_without_a_shared_word()
    {
        var v = model.Encoder.Encode(
            ["A man is eating food.", "Someone has a meal.", "The stock market crashed.", "lipstick", "red lip colour", "garden hose"]);
        Assert.True(Cosine(v[0]!, v[1]!) > Cosine(v[0]!, v[2]!) + 0.3);
        Assert.True(Cosine(v[3]!, v[4]!) > Cosine(v[3]!, v[5]!) + 0.3);
    }

    // The model card's own example (sentence-transformers/all-MiniLM-L6-v2) with its published similarity.
    [Fact]
    public void Similarities_are_those_that_the_models_authors_give()
    {
        var v = model.Encoder.Encode(["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]);
        Assert.Equal(0.6660, Cosine(v[0]!, v[1]!), 3);
        Assert.Equal(0.1046, Cosine(v[0]!, v[2]!), 3);
        Assert.Equal(0.1411, Cosine(v[1]!, v[2]!), 3);
    }

    [Fact]
    public void A_model_of_ones_own_is_run_and_known_by_its_content()
    {
        using var folder = new TemporaryFolder();
        string path = folder["own.onnx"], vocabulary = folder["vocab.txt"];
        File.WriteAllBytes(path, PackagedModels.MiniLm("model.onnx"));
        File.WriteAllBytes(vocabulary, PackagedModels.MiniLm("vocab.txt"));
        var options = new TextEmbeddingOptions(Model: path, Tokenizer: vocabulary);
        using (var own = TextEncoder.Open(options))
        {
            Assert.Equal(model.Encoder.Encode(["garden hose"])[0], own.Encode(["garden hose"])[0]);
        }

        string space = TextEncoder.Space(options);
        File.Move(vocabulary, folder["words.txt"]);
        Assert.Equal(space, TextEncoder.Space(options with { Tokenizer = folder["words.txt"] }));
        File.AppendAllText(folder["words.txt"], "more\n");
        Assert.NotEqual(space, TextEncoder.Space(options with { Tokenizer = folder["words.txt"] }));
    }

    [Fact]
    public void A_model_that_does_not_fit_is_an_error_that_says_what_it_has_and_what_is_wanted()
    {
        using var folder = new TemporaryFolder();
        string vocabulary = folder["vocab.txt"], broken = folder["broken.onnx"];
        File.WriteAllBytes(vocabulary, PackagedModels.MiniLm("vocab.txt"));
        File.WriteAllText(broken, "no model");
        string Message(string path) => Assert.Throws<CatalogException>(
            () => TextEncoder.Open(new TextEmbeddingOptions(Model: path, Tokenizer: vocabulary))).Message;
        string message = Message(PackagedModels.PathOf("ResNetPreprocess.onnx"));
        Assert.Contains("OriginalInput (Single [1, 3, 224, 224])", message, StringComparison.Ordinal);
        Assert.Contains("input_ids", message, StringComparison.Ordinal);
        Assert.Contains("no ONNX model", Message(broken), StringComparison.Ordinal);
        Assert.Contains("There is no ONNX model", Message(folder["none.onnx"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Cancelling_ends_it()
    {
        using var cancel = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => model.Encoder.Encode(
            [.. Enumerable.Range(0, 3000).Select(i => $"text {i}")], _ => cancel.Cancel(), cancel.Token));
    }

    [Fact]
    public void A_models_options_are_checked_together()
    {
        Assert.Contains(
            "together with embeddings.text.tokenizer", Message(new TextEmbeddingOptions(Model: "x.onnx")), StringComparison.Ordinal);
        Assert.Contains("embeddings.text.encoder is bert", Message(new TextEmbeddingOptions("bert")), StringComparison.Ordinal);

        static string Message(TextEmbeddingOptions options) =>
            Assert.Throws<CatalogException>(() => Faults.ThrowIfAny("options", options.Check)).Message;
    }

    internal static double Cosine(float[] a, float[] b) => a.Zip(b, (x, y) => (double)x * y).Sum();
}
