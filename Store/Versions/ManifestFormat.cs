using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Files;

namespace Recsys.Store.Versions;

/// <summary>
/// <c>manifest.json</c>: <c>{"manifest": {…}, "sha256": "…"}</c>, the hash being that of the manifest's own text, so that an altered
/// manifest is found as surely as an altered model.
/// </summary>
internal static class ManifestFormat
{
    public const string FileName = "manifest.json";
    private const int MaxBytes = 16 << 20;

    public static void Write(string folder, VersionManifest manifest) =>
        AtomicFile.WriteText(Path.Combine(folder, FileName), Wrap(JsonSerializer.Serialize(manifest, Json.Manifest)));

    /// <summary>The manifest; null where it is missing or damaged.</summary>
    public static VersionManifest? TryRead(string folder)
    {
        try
        {
            return Read(folder);
        }
        catch (Exception error) when (error is CatalogException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <exception cref="CatalogException">DataLoss: missing or damaged.</exception>
    public static VersionManifest Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        var info = new FileInfo(path);
        if (!info.Exists || info.Length > MaxBytes)
        {
            throw CatalogException.Damaged(info.Exists
                ? $"'{path}' has {info.Length} bytes; a manifest has at most {MaxBytes}."
                : $"'{folder}' has no {FileName}, so it is no version: a rebuild was interrupted, or files were removed.");
        }

        byte[] bytes = File.ReadAllBytes(path);
        try
        {
            using var document = JsonDocument.Parse(bytes);
            string manifest = document.RootElement.GetProperty("manifest").GetRawText();
            if (Encoding.UTF8.GetBytes(Wrap(manifest)).AsSpan().SequenceEqual(bytes))
            {
                return JsonSerializer.Deserialize<VersionManifest>(manifest, Json.Manifest) ?? throw new JsonException("null");
            }
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw CatalogException.Damaged($"'{path}' is damaged: {error.Message} Restore it from a backup, or rebuild.", error);
        }

        throw CatalogException.Damaged(
            $"'{path}' was altered: its content does not have the SHA-256 that it ends with. Restore it from a backup, or rebuild.");
    }

    private static string Wrap(string manifest) =>
        $"{{\"manifest\": {manifest},\n\"sha256\": \"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(manifest)))}\"}}\n";
}
