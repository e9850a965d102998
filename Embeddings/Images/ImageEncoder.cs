using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Recsys.Imaging;

namespace Recsys.Embeddings.Images;

/// <summary>
/// Picture embeddings by a frozen network: the values before its classifier, at unit length. Pictures are padded to a square on white
/// and scaled to the network's side.
/// </summary>
internal sealed class ImageEncoder : IDisposable
{
    public const string Name = "image";

    private const int UsualSide = 224;

    private readonly OnnxModel _model;
    private readonly OnnxModel? _preprocessing;
    private readonly string _input, _output;
    private readonly int _side;

    private ImageEncoder(OnnxModel model, OnnxModel? preprocessing)
    {
        (_model, _preprocessing) = (model, preprocessing);
        const string Wanted = "one float input [1 or batch, 3, side, side] and a float output [batch, dim] or [batch, dim, 1, 1]";
        (_input, var input) = model.Inputs.Count == 1 ? model.Inputs.First() : throw model.Unfit(Wanted);
        int[] shape = input.ElementDataType == TensorElementType.Float ? input.Dimensions : [];
        _output = shape is [<= 1, <= 3, _, _] && shape[1] is 3 or -1 && shape[2] == shape[3]
            ? model.Outputs.FirstOrDefault(output => output.Value.ElementDataType == TensorElementType.Float
                && output.Value.Dimensions is [_, _] or [_, _, <= 1, <= 1]).Key ?? throw model.Unfit(Wanted)
            : throw model.Unfit(Wanted);
        _side = shape[2] > 0 ? shape[2] : UsualSide;
    }

    /// <summary>The packaged ResNet-18, or the model that the options name.</summary>
    public static ImageEncoder Open(ImageEmbeddingOptions options)
    {
        var model = OnnxModel.Open(options.Model ?? PackagedModels.PathOf("ResNet18.onnx"));
        OnnxModel? preprocessing = null;
        try
        {
            preprocessing = options.Model is null ? OnnxModel.Open(PackagedModels.PathOf("ResNetPreprocess.onnx")) : null;
            return new ImageEncoder(model, preprocessing);
        }
        catch
        {
            model.Dispose();
            preprocessing?.Dispose();
            throw;
        }
    }

    /// <summary>The space of its vectors.</summary>
    public static string Space(ImageEmbeddingOptions options) =>
        options.Model is { } path ? SpaceName.OfFiles("image model", path) : "ResNet-18, 224 pixels";

    /// <param name="read">The file of picture i; called for one at a time.</param>
    /// <param name="unreadable">Called with each picture that cannot be decoded, and why.</param>
    /// <param name="done">Called with the number of pictures that are done.</param>
    /// <returns>[count] vectors of one length; null where the picture cannot be decoded.</returns>
    public float[]?[] Encode(
        Func<int, byte[]?> read, int count, Action<int, string> unreadable, Action<int>? done = null, CancellationToken cancel = default)
    {
        var vectors = new float[]?[count];
        const int Chunk = 128; // pictures held decoded at a time: 19 MB
        for (int from = 0; from < count; from += Chunk)
        {
            int start = from;
            var batch = ImageBatch.Load(i => read(start + i), Math.Min(Chunk, count - from), _side, cancel: cancel);
            var cores = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancel };
            Parallel.For(0, batch.Present.Length, cores, i =>
            {
                vectors[start + i] = batch.Present[i] ? Run(batch.Pixels.AsSpan(i * batch.Stride, batch.Stride)) : null;
            });
            foreach (var (i, why) in batch.Missing)
            {
                unreadable(start + i, why);
            }

            done?.Invoke(from + batch.Present.Length);
        }

        return vectors;
    }

    public void Dispose()
    {
        _model.Dispose();
        _preprocessing?.Dispose();
    }

    /// <param name="rgb">[3, side, side]</param>
    private float[] Run(ReadOnlySpan<byte> rgb)
    {
        using var pixels = OrtValue.CreateTensorValueFromMemory(Scaled(rgb), [1, 3, _side, _side]);
        using var prepared = _preprocessing?.Run(
            new Dictionary<string, OrtValue> { [_preprocessing.Inputs.Keys.First()] = pixels }, _preprocessing.Outputs.Keys.First());
        using var output = _model.Run(new Dictionary<string, OrtValue> { [_input] = prepared ?? pixels }, _output);
        var values = output.GetTensorDataAsSpan<float>();
        return UnitVector.OfSum(values, values.Length);
    }

    // The packaged network was trained on blue, green, red, 0 to 255; its preprocessing takes a mean picture off. Networks from PyTorch's
    // model zoo and its heirs expect red, green, blue, 0 to 1, with mean and deviation of ImageNet.
    private float[] Scaled(ReadOnlySpan<byte> rgb)
    {
        float[] mean = [0.485f, 0.456f, 0.406f], deviation = [0.229f, 0.224f, 0.225f];
        var values = new float[rgb.Length];
        int plane = rgb.Length / 3;
        for (int i = 0; i < rgb.Length; i++)
        {
            int channel = i / plane;
            if (_preprocessing is null)
            {
                values[i] = ((rgb[i] / 255f) - mean[channel]) / deviation[channel];
            }
            else
            {
                values[((2 - channel) * plane) + (i % plane)] = rgb[i];
            }
        }

        return values;
    }
}
