using System.Text.Json;
using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Quantizer.Encoding;

namespace Recsys.Quantizer.Audit;

/// <summary>
/// Whether the parts of a version belong together. That each file is what the manifest says is checked when a version is opened; a
/// manifest that was written over exchanged parts would still be true of each, so what the parts say of each other is compared here.
/// </summary>
public static class VersionConsistency
{
    /// <exception cref="CatalogException">FailedPrecondition with everything that does not fit.</exception>
    public static void Require(VersionFolder folder)
    {
        var faults = new List<string>();
        string sizes = Text(folder.Items.CodebookSizes);
        var manifest = folder.Manifest.Description;
        int items = folder.Items.BaseCount;
        Check(manifest.Items == items, $"the manifest names {manifest.Items} items, the table has {items}");
        Check(Text(manifest.CodebookSizes) == sizes, $"the manifest names {Text(manifest.CodebookSizes)} codes, the table {sizes}");
        Check(folder.Has($"{Codebook.PartName}/{ModelFiles.Config}"), "there is no codebook");
        foreach (string file in folder.Manifest.Files.Keys.Order(StringComparer.Ordinal)
            .Where(file => Path.GetFileName(file) == ModelFiles.Config))
        {
            using var config = JsonDocument.Parse(File.ReadAllBytes(folder.PathOf(file)));
            // The codebook calls them sizes; whatever learned from its codes, codebook_sizes.
            string key = file.StartsWith(Codebook.PartName + "/", StringComparison.Ordinal) ? "sizes" : "codebook_sizes";
            if (config.RootElement.TryGetProperty(key, out var told))
            {
                string own = Text(told.EnumerateArray().Select(size => size.GetInt32()));
                Check(own == sizes, $"{file} is of {own} codes, the table of {sizes}");
            }

            if (config.RootElement.TryGetProperty("trained_items", out var trained))
            {
                Check(
                    trained.GetInt64() == items,
                    $"{file} has learned {trained.GetInt64()} items, the table has {items}");
            }
        }

        if (faults.Count > 0)
        {
            throw CatalogException.Precondition(
                $"The parts of version '{folder.Version}' do not belong together: {string.Join("; ", faults)}. Rebuild it, or look at "
                + "another version.");
        }

        void Check(bool holds, string fault)
        {
            if (!holds)
            {
                faults.Add(fault);
            }
        }
    }

    private static string Text(IEnumerable<int> sizes) => string.Join(" × ", sizes);
}
