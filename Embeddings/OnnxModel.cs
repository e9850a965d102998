using Microsoft.ML.OnnxRuntime;
using Recsys.Catalog;

namespace Recsys.Embeddings;

/// <summary>A network in ONNX. Each run uses one core; runs of several threads go side by side.</summary>
internal sealed class OnnxModel : IDisposable
{
    private readonly InferenceSession _session;

    private OnnxModel(string name, Func<SessionOptions, InferenceSession> open)
    {
        Name = name;
        // One thread a run, many runs: twice as fast on short texts as many threads in one run, and the same numbers on any machine.
        using var options = new SessionOptions
        {
            IntraOpNumThreads = 1, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        try
        {
            _session = open(options);
        }
        catch (OnnxRuntimeException fault)
        {
            throw CatalogException.Invalid($"'{name}' is no ONNX model that ONNX Runtime can load: {fault.Message}", fault);
        }
    }

    /// <summary>Where it is from, for messages.</summary>
    public string Name { get; }

    public IReadOnlyDictionary<string, NodeMetadata> Inputs => _session.InputMetadata;

    public IReadOnlyDictionary<string, NodeMetadata> Outputs => _session.OutputMetadata;

    /// <exception cref="CatalogException">NotFound; InvalidArgument: it is no model.</exception>
    public static OnnxModel Open(string path) => File.Exists(path)
        ? new OnnxModel(path, options => new InferenceSession(path, options))
        : throw CatalogException.NotFound($"There is no ONNX model '{path}'.");

    public static OnnxModel Open(byte[] model, string name) => new(name, options => new InferenceSession(model, options));

    /// <summary>One output of one run; to be disposed.</summary>
    public OrtValue Run(IReadOnlyDictionary<string, OrtValue> inputs, string output)
    {
        using var options = new RunOptions();
        try
        {
            return _session.Run(options, inputs, [output])[0];
        }
        catch (OnnxRuntimeException fault)
        {
            throw CatalogException.Invalid($"'{Name}' cannot be run on {Shapes(Inputs)}: {fault.Message}", fault);
        }
    }

    /// <summary>An error that says what the model has and what is wanted of it.</summary>
    public CatalogException Unfit(string wanted) => CatalogException.Invalid(
        $"'{Name}' has inputs {Shapes(Inputs)} and outputs {Shapes(Outputs)}; wanted: {wanted}.");

    public void Dispose() => _session.Dispose();

    private static string Shapes(IReadOnlyDictionary<string, NodeMetadata> nodes) => string.Join(
        ", ",
        nodes.Select(
            node => $"{node.Key} ({node.Value.ElementType?.Name ?? "no tensor"} [{string.Join(", ", node.Value.Dimensions ?? [])}])"));
}
