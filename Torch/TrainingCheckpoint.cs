using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Recsys.Torch;

/// <summary>
/// A training's state on disk, from which it goes on as if it had never stopped: one safetensors file that is replaced as a whole, with
/// the optimiser's own state as bytes. It says which training it belongs to; one of another training, or a damaged one, counts as none.
/// </summary>
/// <param name="path">The file; its folder is made when the first checkpoint is due.</param>
/// <param name="every">Time between two checkpoints; zero: after each step.</param>
public sealed class TrainingCheckpoint(string path, TimeSpan every)
{
    private const string OptimizerKey = "optimizer", TensorPrefix = "state.";

    private long _saved = Stopwatch.GetTimestamp();

    /// <summary>Whether it is time to save again.</summary>
    public bool Due => Stopwatch.GetElapsedTime(_saved) >= every;

    /// <summary>Replaces what is on disk.</summary>
    /// <param name="key">What identifies the training: its data, options and seed.</param>
    /// <param name="step">Steps done.</param>
    /// <param name="tensors">Everything else that a step depends on, by name.</param>
    public void Save(string key, long step, OptimizerHelper optimizer, IReadOnlyDictionary<string, Tensor> tensors)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        using var scope = NewDisposeScope();
        using var bytes = new MemoryStream();
        using (var writer = new BinaryWriter(bytes, Encoding.UTF8, leaveOpen: true))
        {
            optimizer.save_state_dict(writer);
        }

        var all = tensors.ToDictionary(pair => TensorPrefix + pair.Key, pair => pair.Value);
        var state = bytes.ToArray();
        all.Add(OptimizerKey, tensor(state, dtype: ScalarType.Byte));
        SafetensorsFile.Save(path, all, new Dictionary<string, string>
        {
            ["key"] = key, ["step"] = step.ToString(CultureInfo.InvariantCulture), [OptimizerKey] = Hash(state),
        });
        _saved = Stopwatch.GetTimestamp();
    }

    /// <summary>Puts the optimiser back; the caller puts back the rest.</summary>
    /// <returns>Steps done and the tensors by name, or null: start at the beginning.</returns>
    public (long Step, Dictionary<string, Tensor> Tensors)? Load(string key, OptimizerHelper optimizer)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            var all = SafetensorsFile.Load(path, out var metadata);
            if (metadata.GetValueOrDefault("key") != key || !long.TryParse(metadata.GetValueOrDefault("step"), CultureInfo.InvariantCulture, out long step)
                || !all.Remove(OptimizerKey, out var state))
            {
                return null;
            }

            var bytes = state.data<byte>().ToArray();
            if (metadata.GetValueOrDefault(OptimizerKey) != Hash(bytes))
            {
                return null; // before the optimiser is touched
            }

            using var reader = new BinaryReader(new MemoryStream(bytes));
            optimizer.load_state_dict(reader);
            return (step, all.ToDictionary(pair => pair.Key[TensorPrefix.Length..], pair => pair.Value));
        }
        catch (Exception fault) when (fault is SafetensorsException or IOException)
        {
            return null;
        }
    }

    /// <summary>The training is done: its checkpoint is of no more use.</summary>
    public void Delete() => File.Delete(path);

    private static string Hash(byte[] state) => Convert.ToHexStringLower(SHA256.HashData(state));
}
