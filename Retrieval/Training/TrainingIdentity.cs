using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace Recsys.Retrieval.Training;

/// <summary>What a training's outcome depends on, as one hash: two trainings of one identity give the same model.</summary>
internal static class TrainingIdentity
{
    public static string Of(RetrievalTrainingData data, RetrievalOptions options, long seed)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(JsonSerializer.SerializeToUtf8Bytes(new { options, seed, sizes = data.Items.CodebookSizes }));
        foreach (var id in data.Items.SemanticIds)
        {
            hash.AppendData(System.Text.Encoding.UTF8.GetBytes(id + " "));
        }

        hash.AppendData(MemoryMarshal.AsBytes(data.Training.Offsets.AsSpan()));
        hash.AppendData(MemoryMarshal.AsBytes(data.Training.Items.AsSpan()));
        if (data.Features is { } features)
        {
            hash.AppendData(MemoryMarshal.AsBytes(features.Data.AsSpan()));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
