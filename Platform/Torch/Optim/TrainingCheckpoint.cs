using System.Diagnostics;
using System.Globalization;
using static Recsys.Torch.torch;

namespace Recsys.Torch;

/// <summary>
/// A training's state on disk, from which it goes on as if it had never stopped: one safetensors file that is replaced as a whole. It
/// says which training it belongs to; one of another training, or a damaged one, counts as none.
/// </summary>
public sealed class TrainingCheckpoint
{
    private const string OptimizerPrefix = "optimizer.", TensorPrefix = "state.";
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly string _path;
    private readonly TimeSpan _every;
    private long _saved;

    /// <param name="path">The file; its folder is made when the first checkpoint is due.</param>
    /// <param name="every">Time between two checkpoints; zero: after each step.</param>
    public TrainingCheckpoint(string path, TimeSpan every) => (_path, _every, _saved) = (path, every, _started);

    /// <summary>Whether it is time to save again.</summary>
    public bool Due => Stopwatch.GetElapsedTime(_saved) >= _every;

    /// <summary>Replaces what is on disk.</summary>
    /// <param name="key">What identifies the training: its data, options and seed.</param>
    /// <param name="step">Steps done.</param>
    /// <param name="tensors">Everything else that a step depends on, by name.</param>
    public void Save(string key, long step, optim.Optimizer optimizer, IReadOnlyDictionary<string, Tensor> tensors)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(_path))!);
        using var scope = NewDisposeScope();
        var all = OptimizerCheckpoint.Capture(optimizer).ToDictionary(entry => OptimizerPrefix + entry.Key, entry => entry.Value);
        foreach (var (name, tensor) in tensors)
        {
            all.Add(TensorPrefix + name, tensor);
        }

        SafetensorsFile.Save(_path, all, new Dictionary<string, string> { ["key"] = key, ["step"] = step.ToString(CultureInfo.InvariantCulture) });
        _saved = Stopwatch.GetTimestamp();
    }

    /// <summary>Puts the optimiser back; the caller puts back the rest.</summary>
    /// <returns>Steps done and the tensors by name, or null: start at the beginning.</returns>
    public (long Step, Dictionary<string, Tensor> Tensors)? Load(string key, optim.Optimizer optimizer)
    {
        if (!File.Exists(_path))
        {
            return null;
        }

        try
        {
            using var file = SafetensorsFile.Open(_path);
            if (!file.Metadata.TryGetValue("key", out string? found) || found != key || !long.TryParse(file.Metadata.GetValueOrDefault("step"), CultureInfo.InvariantCulture, out long step))
            {
                return null;
            }

            var all = file.ReadAll();
            OptimizerCheckpoint.Restore(optimizer, Below(all, OptimizerPrefix));
            return (step, Below(all, TensorPrefix));
        }
        catch (Exception fault) when (fault is SafetensorsException or StateDictException or FileNotFoundException)
        {
            return null;
        }
    }

    /// <summary>The training is done: its checkpoint is of no more use.</summary>
    public void Delete() => File.Delete(_path);

    private static Dictionary<string, Tensor> Below(Dictionary<string, Tensor> all, string prefix) =>
        all.Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary(entry => entry.Key[prefix.Length..], entry => entry.Value);
}
