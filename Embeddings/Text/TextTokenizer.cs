using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Recsys.Catalog;
using Tokenizers.DotNet;

namespace Recsys.Embeddings.Text;

/// <summary>
/// Text to a model's tokens by Hugging Face's own tokenizers library. The runtime's string.Normalize does nothing under
/// InvariantGlobalization, so tokenizers written in .NET keep accents here, which the models' vocabularies do not have.
/// </summary>
internal sealed class TextTokenizer : IDisposable
{
    private readonly Tokenizer _tokenizer;

    private TextTokenizer(JsonNode description, int maxTokens, string name)
    {
        int max = Math.Min(maxTokens, (int?)description["truncation"]?["max_length"] ?? maxTokens);
        description["padding"] = null;
        description["truncation"] = new JsonObject
        {
            ["direction"] = "Right", ["max_length"] = max, ["strategy"] = "LongestFirst", ["stride"] = 0,
        };
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, description.ToJsonString());
            _tokenizer = new Tokenizer(file);
        }
        catch (TokenizerException fault)
        {
            throw CatalogException.Invalid($"'{name}' is no tokenizer: {fault.Message}", fault);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <param name="path">A <c>tokenizer.json</c>, a BERT vocabulary (<c>vocab.txt</c>, one token a line, lower case), or a folder
    /// with one of the two.</param>
    /// <param name="maxTokens">Longer texts are cut, the special tokens included.</param>
    /// <exception cref="CatalogException">NotFound; InvalidArgument: it is no tokenizer.</exception>
    public static TextTokenizer Open(string path, int maxTokens)
    {
        string file = FileOf(path);
        byte[] bytes = File.ReadAllBytes(file);
        try
        {
            return file.EndsWith(".json", StringComparison.OrdinalIgnoreCase)
                ? new TextTokenizer(JsonNode.Parse(bytes) as JsonObject ?? throw new JsonException("no object"), maxTokens, file)
                : Bert(bytes, maxTokens, file);
        }
        catch (JsonException fault)
        {
            throw CatalogException.Invalid($"'{file}' is no tokenizer.json: {fault.Message}", fault);
        }
    }

    /// <summary>The file that <see cref="Open"/> reads.</summary>
    public static string FileOf(string path) => new[] { path, Path.Combine(path, "tokenizer.json"), Path.Combine(path, "vocab.txt") }
        .FirstOrDefault(File.Exists) ?? throw CatalogException.NotFound(
            $"There is no tokenizer '{path}': name a tokenizer.json, a vocab.txt, or a folder with one of them.");

    /// <summary>WordPiece as uncased BERT models were trained with (Devlin et al. 2019).</summary>
    /// <param name="vocabulary">UTF-8, one token a line.</param>
    public static TextTokenizer Bert(byte[] vocabulary, int maxTokens, string name)
    {
        var ids = Encoding.UTF8.GetString(vocabulary).TrimEnd('\r', '\n').Split('\n')
            .Select((token, id) => (Token: token.TrimEnd('\r'), Id: id))
            .DistinctBy(pair => pair.Token).ToDictionary(pair => pair.Token, pair => pair.Id, StringComparer.Ordinal);
        string[] special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
        var missing = special[..4].Where(token => !ids.ContainsKey(token)).ToArray();
        if (missing.Length > 0)
        {
            throw CatalogException.Invalid(
                $"'{name}' is no BERT vocabulary: {string.Join(", ", missing)} not among its {ids.Count} lines.");
        }

        var description = JsonNode.Parse("""
            {
              "version": "1.0",
              "normalizer":
                { "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": true, "lowercase": true },
              "pre_tokenizer": { "type": "BertPreTokenizer" },
              "post_processor": { "type": "BertProcessing" },
              "model":
                { "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100 }
            }
            """)!;
        description["added_tokens"] = new JsonArray([.. special.Where(ids.ContainsKey).Select(token => (JsonNode)new JsonObject
        {
            ["id"] = ids[token], ["content"] = token, ["special"] = true,
            ["single_word"] = false, ["lstrip"] = false, ["rstrip"] = false, ["normalized"] = false,
        })]);
        description["post_processor"]!["sep"] = new JsonArray("[SEP]", ids["[SEP]"]);
        description["post_processor"]!["cls"] = new JsonArray("[CLS]", ids["[CLS]"]);
        description["model"]!["vocab"] = JsonSerializer.SerializeToNode(ids);
        return new TextTokenizer(description, maxTokens, name);
    }

    /// <summary>Token ids, special tokens included; surrogates without their other half count as the replacement character.</summary>
    public uint[] Encode(string text) => _tokenizer.Encode(Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)));

    public void Dispose() => _tokenizer.Dispose();
}
