using System.CommandLine;
using Recsys.Embeddings;
using Recsys.Jobs.NightlyRebuild;

namespace Recsys.Cli.Terminal;

/// <summary>The options that say how default embeddings are made: the same for every verb that makes some.</summary>
internal sealed class EncoderOptions
{
    private readonly Option<string?> _text = new("--text")
    {
        Description = "minilm (all-MiniLM-L6-v2, default) or tfidf, fitted to the catalogue.",
    };

    private readonly Option<string?> _textModel = new("--text-model") { Description = "A sentence encoder of one's own, as ONNX." };
    private readonly Option<string?> _tokenizer = new("--tokenizer") { Description = "Its tokenizer.json or vocab.txt, or their folder." };
    private readonly Option<string?> _image = new("--image")
    {
        Description = "resnet18 (default) or pca, principal components of pixels, fitted to the catalogue.",
    };

    private readonly Option<string?> _imageModel = new("--image-model") { Description = "A picture encoder of one's own, as ONNX." };
    private readonly Option<string?> _cache = new("--cache")
    {
        Description = "Folder where vectors are kept for the next run (default: RECSYS_CACHE, else ~/.cache/recsys).",
    };

    private readonly Option<string?> _config = new("--config") { Description = "The rebuild's configuration: its section embeddings." };

    /// <param name="config">Also --config, for verbs that have none of their own.</param>
    public void AddTo(Command command, bool config = true)
    {
        if (config)
        {
            command.Options.Add(_config);
        }

        foreach (var option in new Option<string?>[] { _text, _textModel, _tokenizer, _image, _imageModel, _cache })
        {
            command.Options.Add(option);
        }
    }

    /// <summary>What the command line says, over what the file of --config says.</summary>
    public DefaultEmbeddingOptions Read(ParseResult parsed) => Apply(
        parsed, parsed.GetValue(_config) is { } file ? RebuildOptions.Read(file).Embeddings : new DefaultEmbeddingOptions());

    /// <summary>What the command line says, over what a configuration says.</summary>
    public DefaultEmbeddingOptions Apply(ParseResult parsed, DefaultEmbeddingOptions options)
    {
        string? text = parsed.GetValue(_text), image = parsed.GetValue(_image);
        return options with
        {
            Cache = parsed.GetValue(_cache) ?? options.Cache,
            Text = options.Text with
            {
                Encoder = text ?? options.Text.Encoder,
                Model = parsed.GetValue(_textModel) ?? (text is null ? options.Text.Model : null),
                Tokenizer = parsed.GetValue(_tokenizer) ?? (text is null ? options.Text.Tokenizer : null),
            },
            Image = options.Image with
            {
                Encoder = image ?? options.Image.Encoder,
                Model = parsed.GetValue(_imageModel) ?? (image is null ? options.Image.Model : null),
            },
        };
    }
}
