using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Recsys.Torch.Safetensors;

namespace Recsys.Torch;

/// <summary>
/// A training's state on disk, from which it goes on as if it had never stopped: one safetensors file that is replaced as a whole, with
/// the optimiser's own state as bytes. It says which training it belongs to; one of another training, or a damaged one, counts as none.
/// </summary>
/// <param name="path">The file; its folder is made when the first checkpoint is due.</param>
/// <param name="every">Time between two checkpoints; zero: after each step.</param>
/// <param name="ranks">The first alone writes; all of them read, and go on from one step. Null: one process.</param>
public sealed class TrainingCheckpoint(string path, TimeSpan every, Ranks? ranks = null)
{
    private const string OptimizerKey = "optimizer", TensorPrefix = "state.", HashKey = "sha256";

    private readonly Ranks _ranks = ranks ?? Ranks.Alone;
    private long _saved = Stopwatch.GetTimestamp();

    /// <summary>Why a file that <see cref="Load"/> found counts as none; null: there was none, or it fits.</summary>
    public string? Unfit { get; private set; }

    /// <summary>Whether it is time to save again.</summary>
    public bool Due => Stopwatch.GetElapsedTime(_saved) >= every;

    /// <summary>Replaces what is on disk.</summary>
    /// <param name="key">What identifies the training: its data, options and seed.</param>
    /// <param name="step">Steps done.</param>
    /// <param name="tensors">Everything else that a step depends on, by name.</param>
    public void Save(string key, long step, OptimizerHelper optimizer, IReadOnlyDictionary<string, Tensor> tensors)
    {
        _saved = Stopwatch.GetTimestamp();
        if (!_ranks.First)
        {
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        using var scope = NewDisposeScope();
        using var bytes = new MemoryStream();
        using (var writer = new BinaryWriter(bytes, Encoding.UTF8, leaveOpen: true))
        {
            optimizer.save_state_dict(writer);
        }

        var all = tensors.ToDictionary(pair => TensorPrefix + pair.Key, pair => pair.Value.detach().cpu().contiguous());
        all.Add(OptimizerKey, tensor(bytes.ToArray(), dtype: ScalarType.Byte));
        SafetensorsFile.Save(path, all, new Dictionary<string, string>
        {
            ["key"] = key, ["step"] = step.ToString(CultureInfo.InvariantCulture), [HashKey] = Hash(key, step, all),
        });
        _saved = Stopwatch.GetTimestamp();
    }

    /// <summary>Puts the optimiser back; the caller puts back the rest.</summary>
    /// <returns>Steps done and the tensors by name, or null: start at the beginning.</returns>
    /// <exception cref="TorchException">The ranks do not find the same checkpoint.</exception>
    public (long Step, Dictionary<string, Tensor> Tensors)? Load(string key, OptimizerHelper optimizer)
    {
        var found = Read(key, optimizer);
        _ranks.CheckAlike(found?.Step ?? 0, $"the step of the checkpoint '{path}'");
        return found;
    }

    private (long Step, Dictionary<string, Tensor> Tensors)? Read(string key, OptimizerHelper optimizer)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        using var scope = NewDisposeScope(); // frees what a checkpoint that counts as none has brought
        try
        {
            var all = SafetensorsFile.Load(path, out var metadata);
            if (metadata.GetValueOrDefault("key") != key)
            {
                Unfit = $"the checkpoint '{path}' is of other data, codes, options or seed";
                return null;
            }

            if (!long.TryParse(metadata.GetValueOrDefault("step"), CultureInfo.InvariantCulture, out long step)
                || metadata.GetValueOrDefault(HashKey) != Hash(key, step, all) || !all.Remove(OptimizerKey, out var state))
            {
                Unfit = Damaged; // before the optimiser is touched
                return null;
            }

            using var reader = new BinaryReader(new MemoryStream(state.bytes.ToArray()));
            optimizer.load_state_dict(reader);
            return (step, all.ToDictionary(pair => pair.Key[TensorPrefix.Length..], pair => pair.Value.MoveToOuterDisposeScope()));
        }
        catch (SafetensorsException)
        {
            Unfit = Damaged;
            return null;
        }
    }

    /// <summary>The training is done: its checkpoint is of no more use.</summary>
    public void Delete() => File.Delete(path);

    private string Damaged => $"the checkpoint '{path}' is damaged";

    // Of everything: a training that goes on from one flipped bit is another training.
    private static unsafe string Hash(string key, long step, Dictionary<string, Tensor> tensors)
    {
        const long Piece = 1 << 30;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{key}\n{step}\n"));
        foreach (var (name, tensor) in tensors.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{name}\n{tensor.dtype} {string.Join(' ', tensor.shape)}\n"));
            byte* memory = (byte*)tensor.Address();
            long length = tensor.numel() * tensor.element_size();
            for (long at = 0; at < length; at += Piece)
            {
                hash.AppendData(new ReadOnlySpan<byte>(memory + at, (int)Math.Min(length - at, Piece)));
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
