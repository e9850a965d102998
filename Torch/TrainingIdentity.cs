using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Recsys.Torch;

/// <summary>What a training's outcome depends on, as one hash: two trainings of one identity give the same model.</summary>
public sealed class TrainingIdentity : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public TrainingIdentity Add(string text)
    {
        _hash.AppendData(Encoding.UTF8.GetBytes(text + "\n"));
        return this;
    }

    /// <summary>An array, with its length.</summary>
    public TrainingIdentity Add<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        Add($"{values.Length}");
        const int Piece = 1 << 24; // values: an array of more than 2 GiB has no span of bytes
        for (int at = 0; at < values.Length; at += Piece)
        {
            _hash.AppendData(MemoryMarshal.AsBytes(values.Slice(at, Math.Min(Piece, values.Length - at))));
        }

        return this;
    }

    /// <summary>The hash of all that was added, in lower-case hex.</summary>
    public override string ToString() => Convert.ToHexStringLower(_hash.GetCurrentHash());

    public void Dispose() => _hash.Dispose();
}
