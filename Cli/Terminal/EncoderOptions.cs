using System.CommandLine;
using Recsys.Embeddings;

namespace Recsys.Cli.Terminal;

/// <summary>The options that say how default embeddings are made: the same for every verb that makes some.</summary>
internal static class EncoderOptions
{
    private static readonly Option<string?> Text =
        VerbOption.Of<string?>("--text", "minilm (all-MiniLM-L6-v2, default) or tfidf, fitted to the catalogue.");
    private static readonly Option<string?> TextModel =
        VerbOption.Of<string?>("--text-model", "A sentence encoder of one's own, as ONNX.");
    private static readonly Option<string?> Tokenizer =
        VerbOption.Of<string?>("--tokenizer", "Its tokenizer.json or vocab.txt, or their folder.");
    private static readonly Option<string?> Image =
        VerbOption.Of<string?>("--image", "resnet18 (default) or pca, principal components of pixels, fitted to the catalogue.");
    private static readonly Option<string?> ImageModel =
        VerbOption.Of<string?>("--image-model", "A picture encoder of one's own, as ONNX.");
    private static readonly Option<string?> Cache = VerbOption.Of<string?>(
        "--cache", "Folder where vectors are kept for the next run (default: RECSYS_CACHE, else ~/.cache/recsys).");

    /// <summary>Adds them, and <c>--config</c>, whose section embeddings they go before.</summary>
    public static void AddEncoders(this Command command)
    {
        foreach (Option option in (Option[])[ConfigOption.Config, Text, TextModel, Tokenizer, Image, ImageModel, Cache])
        {
            command.Options.Add(option);
        }
    }

    /// <summary>What the command line says, over what the configuration says.</summary>
    public static DefaultEmbeddingOptions Encoders(this ParseResult parsed)
    {
        var options = parsed.Configuration().Embeddings;
        string? text = parsed.GetValue(Text), image = parsed.GetValue(Image);
        return options with
        {
            Cache = parsed.GetValue(Cache) ?? options.Cache,
            Text = options.Text with
            {
                Encoder = text ?? options.Text.Encoder,
                Model = parsed.GetValue(TextModel) ?? (text is null ? options.Text.Model : null),
                Tokenizer = parsed.GetValue(Tokenizer) ?? (text is null ? options.Text.Tokenizer : null),
            },
            Image = options.Image with
            {
                Encoder = image ?? options.Image.Encoder,
                Model = parsed.GetValue(ImageModel) ?? (image is null ? options.Image.Model : null),
            },
        };
    }
}
