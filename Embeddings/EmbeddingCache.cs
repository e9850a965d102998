using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Recsys.Torch.Safetensors;

namespace Recsys.Embeddings;

/// <summary>
/// Vectors of frozen encoders by the SHA-256 of what was encoded, outside the user's dataset: one file a dataset and encoder, which
/// holds what the dataset had when it was last encoded. Only a saving of time: what cannot be read is encoded anew, and a folder that
/// cannot be written is no fault. Any number of processes may share it.
/// </summary>
public sealed class EmbeddingCache
{
    /// <summary>Environment variable that names the folder.</summary>
    public const string Variable = "RECSYS_CACHE";

    private readonly string _folder;

    /// <param name="folder">null: RECSYS_CACHE, else recsys in XDG_CACHE_HOME, else ~/.cache/recsys, else in the temporary folder.</param>
    public EmbeddingCache(string? folder = null)
    {
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        _folder = new[]
        {
            folder, Environment.GetEnvironmentVariable(Variable), Under(Environment.GetEnvironmentVariable("XDG_CACHE_HOME"), "recsys"),
            Under(home, ".cache/recsys"),
        }.FirstOrDefault(candidate => !string.IsNullOrEmpty(candidate)) ?? Path.Combine(Path.GetTempPath(), "recsys-cache");
    }

    /// <summary>What content is known by: half of its SHA-256.</summary>
    public static UInt128 KeyOf(ReadOnlySpan<byte> content) => BinaryPrimitives.ReadUInt128LittleEndian(SHA256.HashData(content));

    /// <summary>What is known of a dataset; empty where nothing is, or where the file is damaged.</summary>
    public Dictionary<UInt128, float[]> Read(string space, string dataset)
    {
        using var scope = NewDisposeScope();
        var known = new Dictionary<UInt128, float[]>();
        try
        {
            var tensors = File.Exists(FileOf(space, dataset)) ? SafetensorsFile.Load(FileOf(space, dataset)) : [];
            if (!tensors.TryGetValue("keys", out var keys) || !tensors.TryGetValue("vectors", out var vectors)
                || keys.dtype != ScalarType.Int64 || vectors.dtype != ScalarType.Float32
                || keys.shape is not [var rows, 2] || vectors.shape is not [var same, var dim] || rows != same)
            {
                return known;
            }

            var names = MemoryMarshal.Cast<long, UInt128>(keys.data<long>().ToArray());
            float[] values = vectors.data<float>().ToArray();
            for (int row = 0; row < names.Length; row++)
            {
                known[names[row]] = values.AsSpan(row * (int)dim, (int)dim).ToArray();
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or SafetensorsException)
        {
            known.Clear();
        }

        return known;
    }

    /// <summary>Replaces what is known of a dataset, all at once.</summary>
    /// <returns>Why it could not be written; null when it was.</returns>
    public string? Write(string space, string dataset, IReadOnlyDictionary<UInt128, float[]> known)
    {
        using var scope = NewDisposeScope();
        var rows = known.ToArray();
        if (rows.Length == 0 || (long)rows.Length * rows[0].Value.Length > Array.MaxLength)
        {
            return null; // an array cannot hold it: encoded anew each time
        }

        try
        {
            Directory.CreateDirectory(_folder);
            SafetensorsFile.Save(FileOf(space, dataset), new Dictionary<string, Tensor>
            {
                ["keys"] = tensor(MemoryMarshal.Cast<UInt128, long>(Array.ConvertAll(rows, row => row.Key)).ToArray(), [rows.Length, 2]),
                ["vectors"] = tensor(rows.SelectMany(row => row.Value).ToArray(), [rows.Length, rows[0].Value.Length]),
            });
            return null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or SafetensorsException)
        {
            return $"the vectors are not cached: {fault.Message}";
        }
    }

    private string FileOf(string space, string dataset) => Path.Combine(
        _folder, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{space}\n{dataset}")))[..32] + ".safetensors");

    private static string? Under(string? folder, string name) => string.IsNullOrEmpty(folder) ? null : Path.Combine(folder, name);
}
