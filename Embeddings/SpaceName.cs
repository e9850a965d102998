using System.Security.Cryptography;
using System.Text;

namespace Recsys.Embeddings;

/// <summary>
/// Names of embedding spaces. Vectors of one name and space can be compared; a space that was fitted to data is another one after each
/// fit to other data.
/// </summary>
internal static class SpaceName
{
    /// <param name="options">All that changes the fit beside its data.</param>
    public static string Fitted(string method, object options, ReadOnlySpan<byte> data, ReadOnlySpan<byte> more = default)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha.AppendData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{options}")));
        sha.AppendData(SHA256.HashData(data));
        sha.AppendData(SHA256.HashData(more));
        return $"{method} fitted to {Short(sha.GetHashAndReset())}";
    }

    /// <summary>Of a model of the user's own: by its content, not its place.</summary>
    public static string OfFiles(string kind, params string[] files)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string file in files)
        {
            using var stream = File.OpenRead(file);
            sha.AppendData(SHA256.HashData(stream));
        }

        return $"{kind} {Short(sha.GetHashAndReset())}";
    }

    private static string Short(byte[] hash) => Convert.ToHexStringLower(hash)[..16];
}
