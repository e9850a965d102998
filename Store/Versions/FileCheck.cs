using System.Security.Cryptography;
using Recsys.Catalog;
using Recsys.Catalog.Ports;

namespace Recsys.Store.Versions;

/// <summary>Length and SHA-256 of one file of a version.</summary>
internal static class FileCheck
{
    public static ManifestFile HashAndSync(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        stream.Flush(flushToDisk: true);
        return new ManifestFile(stream.Length, Convert.ToHexStringLower(SHA256.HashData(stream)));
    }

    /// <exception cref="CatalogException">DataLoss: the file is missing, truncated or altered.</exception>
    public static void Verify(string path, string relative, string version, ManifestFile expected)
    {
        if (!File.Exists(path))
        {
            throw Damaged("is missing");
        }

        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        if (stream.Length != expected.Length)
        {
            throw Damaged($"has {stream.Length} bytes; the manifest says {expected.Length}");
        }

        string hash = Convert.ToHexStringLower(SHA256.HashData(stream));
        if (hash != expected.Sha256)
        {
            throw Damaged($"was altered: its SHA-256 is {hash}; the manifest says {expected.Sha256}");
        }

        CatalogException Damaged(string what) => CatalogException.Damaged(
            $"Version '{version}': file '{relative}' {what}. Restore the folder from a backup, activate another version (recsys "
            + "versions), or rebuild.");
    }
}
