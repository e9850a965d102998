using System.Text.Json;
using Recsys.Torch.Safetensors;

namespace Recsys.Torch;

/// <summary>
/// A trained model on the disk: a folder with <c>config.json</c>, all that is no tensor, and <c>model.safetensors</c>. Equal models give
/// equal bytes. Reading trusts nothing: the configuration is checked whole before a tensor is made.
/// </summary>
public static class ModelFiles
{
    /// <summary>The files' names.</summary>
    public const string Config = "config.json", Weights = "model.safetensors";

    /// <summary>Writes both files into a folder, made where it is missing.</summary>
    public static void Save<TConfig>(
        string folder, TConfig config, IReadOnlyDictionary<string, Tensor> tensors, JsonSerializerOptions json)
    {
        Directory.CreateDirectory(folder);
        SafetensorsFile.Save(Path.Combine(folder, Weights), tensors);
        File.WriteAllBytes(Path.Combine(folder, Config), JsonSerializer.SerializeToUtf8Bytes(config, json));
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <param name="json">As it was written.</param>
    /// <param name="faults">What is wrong with a configuration; empty where nothing is.</param>
    /// <param name="refusal">Makes the error that is thrown of its message and cause: a file is missing or damaged, has a key that is
    /// unknown, or does not fit the other.</param>
    /// <param name="make">The model of a configuration and the tensors, which die with this call. Throws <see cref="TorchException"/> where
    /// the two do not fit.</param>
    public static TModel Load<TConfig, TModel>(
        string folder, JsonSerializerOptions json, Func<TConfig, IReadOnlyList<string>> faults,
        Func<string, Exception, Exception> refusal, Func<TConfig, Dictionary<string, Tensor>, TModel> make)
    {
        string file = Path.Combine(folder, Config);
        try
        {
            var config = JsonSerializer.Deserialize<TConfig>(File.ReadAllBytes(file), json) ?? throw new JsonException("It is null.");
            if (faults(config) is { Count: > 0 } found)
            {
                throw new JsonException(string.Join("; ", found) + ".");
            }

            file = Path.Combine(folder, Weights);
            using var scope = NewDisposeScope();
            return make(config, SafetensorsFile.Load(file));
        }
        catch (Exception fault) when (
            fault is JsonException or IOException or UnauthorizedAccessException or SafetensorsException or TorchException)
        {
            throw refusal(
                $"'{file}' is missing, damaged or of another model: {fault.Message.TrimEnd('.')}. "
                + "Rebuild the version, or activate another.", fault);
        }
    }

    /// <summary>Takes out of a model's tensors a table, in float32 or bf16.</summary>
    /// <exception cref="TorchException">It is missing or of another type or shape.</exception>
    public static Tensor TakeRows(this Dictionary<string, Tensor> tensors, string name, long rows, long columns) => tensors.Take(
        name, tensors.GetValueOrDefault(name)?.dtype == ScalarType.BFloat16 ? ScalarType.BFloat16 : ScalarType.Float32, rows, columns);

    /// <summary>Takes out of a model's tensors one that must be of a type and shape.</summary>
    /// <param name="shape">-1: of any size.</param>
    /// <exception cref="TorchException">It is missing or of others.</exception>
    public static Tensor Take(this Dictionary<string, Tensor> tensors, string name, ScalarType type, params long[] shape)
    {
        var found = tensors.Remove(name, out var tensor) ? tensor : throw new TorchException($"'{name}' is missing.");
        return found.dtype == type && found.dim() == shape.Length
            && found.shape.Zip(shape).All(sizes => sizes.Second < 0 || sizes.First == sizes.Second)
            ? found
            : throw new TorchException($"'{name}' is {StateDict.Describe(found)}, expected {type} [{string.Join(", ", shape)}].");
    }
}
