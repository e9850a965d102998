using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Recsys.Catalog;

namespace Recsys.Embeddings.Text;

/// <summary>
/// Sentence embeddings by a frozen transformer: the mean of its last hidden states over the text's tokens (Reimers and Gurevych 2019),
/// at unit length. The same text gives the same vector alone or among others.
/// </summary>
internal sealed class TextEncoder : IDisposable
{
    public const string Name = "text";

    // Tokens of one run, padding included: small runs on all cores are faster than large ones.
    private const int TokensPerRun = 256;

    private static readonly string[] Known = ["input_ids", "attention_mask", "token_type_ids"];

    private readonly OnnxModel _model;
    private readonly TextTokenizer _tokenizer;
    private readonly string _output;

    private TextEncoder(OnnxModel model, TextTokenizer tokenizer)
    {
        (_model, _tokenizer) = (model, tokenizer);
        bool fits = model.Inputs.ContainsKey(Known[0])
            && model.Inputs.All(input => Known.Contains(input.Key) && input.Value.ElementDataType == TensorElementType.Int64);
        var outputs = model.Outputs.Where(output => output.Value.ElementDataType == TensorElementType.Float).ToList();
        string? output = outputs.Find(output => output.Key == "sentence_embedding").Key
            ?? outputs.Find(output => output.Value.Dimensions.Length == 3).Key
            ?? outputs.Find(output => output.Value.Dimensions.Length == 2).Key;
        _output = fits && output is not null ? output : throw model.Unfit(
            "int64 inputs input_ids and, if any, attention_mask and token_type_ids, each [batch, tokens]; a float output "
            + "[batch, tokens, dim] or [batch, dim]");
    }

    /// <summary>The packaged all-MiniLM-L6-v2, or the model that the options name.</summary>
    public static TextEncoder Open(TextEmbeddingOptions options)
    {
        var tokenizer = options.Model is null
            ? TextTokenizer.Bert(PackagedModels.MiniLm("vocab.txt"), options.MaxTokens, "vocab.txt")
            : TextTokenizer.Open(options.Tokenizer!, options.MaxTokens);
        OnnxModel? model = null;
        try
        {
            model = options.Model is null
                ? OnnxModel.Open(PackagedModels.MiniLm("model.onnx"), "all-MiniLM-L6-v2")
                : OnnxModel.Open(options.Model);
            return new TextEncoder(model, tokenizer);
        }
        catch
        {
            model?.Dispose();
            tokenizer.Dispose();
            throw;
        }
    }

    /// <summary>The space of its vectors.</summary>
    public static string Space(TextEmbeddingOptions options) => (options.Model is null
        ? "all-MiniLM-L6-v2"
        : SpaceName.OfFiles("text model", options.Model, TextTokenizer.FileOf(options.Tokenizer!))) + $", {options.MaxTokens} tokens";

    /// <param name="done">Called with the number of texts that are done.</param>
    /// <returns>[texts] vectors of one length.</returns>
    public float[]?[] Encode(IReadOnlyList<string> texts, Action<int>? done = null, CancellationToken cancel = default)
    {
        var tokens = texts.AsParallel().AsOrdered().WithCancellation(cancel).Select(_tokenizer.Encode).ToArray();
        var vectors = new float[texts.Count][];
        int count = 0;
        var cores = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancel };
        Parallel.ForEach(Batches(tokens), cores, batch =>
        {
            Run(batch, tokens, vectors);
            done?.Invoke(Interlocked.Add(ref count, batch.Length));
        });
        return vectors;
    }

    public void Dispose()
    {
        _model.Dispose();
        _tokenizer.Dispose();
    }

    // Texts of about one length together, longest first: little padding, and no core ends with a long one.
    private static List<int[]> Batches(uint[][] tokens)
    {
        var batches = new List<int[]>();
        int[] order = [.. Enumerable.Range(0, tokens.Length).OrderByDescending(text => tokens[text].Length)];
        for (int from = 0, count; from < order.Length; from += count)
        {
            count = Math.Min(Math.Max(1, TokensPerRun / Math.Max(1, tokens[order[from]].Length)), order.Length - from);
            batches.Add(order[from..(from + count)]);
        }

        return batches;
    }

    private void Run(int[] batch, uint[][] tokens, float[][] vectors)
    {
        int longest = Math.Max(1, batch.Max(text => tokens[text].Length));
        var (ids, mask) = (new long[batch.Length * longest], new long[batch.Length * longest]);
        for (int row = 0; row < batch.Length; row++)
        {
            for (int at = 0; at < tokens[batch[row]].Length; at++)
            {
                (ids[(row * longest) + at], mask[(row * longest) + at]) = (tokens[batch[row]][at], 1);
            }
        }

        long[][] content = [ids, mask, new long[ids.Length]];
        var inputs = Known.Zip(content).Where(input => _model.Inputs.ContainsKey(input.First)).ToDictionary(
            input => input.First, input => OrtValue.CreateTensorValueFromMemory(input.Second, [batch.Length, longest]));
        try
        {
            using var output = _model.Run(inputs, _output);
            long[] shape = output.GetTensorTypeAndShape().Shape;
            var values = output.GetTensorDataAsSpan<float>();
            int dim = (int)shape[^1], steps = shape.Length == 3 ? (int)shape[1] : 1; // [batch, tokens, dim] or [batch, dim]
            for (int row = 0; row < batch.Length; row++)
            {
                int held = shape.Length == 3 ? tokens[batch[row]].Length : 1;
                vectors[batch[row]] = UnitVector.OfSum(values.Slice(row * steps * dim, held * dim), dim);
            }
        }
        finally
        {
            foreach (var input in inputs.Values)
            {
                input.Dispose();
            }
        }
    }
}
