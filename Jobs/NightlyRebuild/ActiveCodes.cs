using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Datasets;
using Recsys.Quantizer.Alignment;
using Recsys.Quantizer.Encoding;

namespace Recsys.Jobs.NightlyRebuild;

/// <summary>The codes of the active version, for a rebuild that keeps to them.</summary>
internal static class ActiveCodes
{
    /// <param name="active">The active version; null: none is.</param>
    /// <param name="fitAll">Whether what is built may know everything.</param>
    /// <returns>Its codes, or null and why they are not followed; nothing is said of a dataset's first version.</returns>
    public static (EarlierCodes? Codes, string? Why) Find(
        IVersionStore versions, string? active, Dataset dataset, bool fitAll, EmbeddingMatrix[] embeddings, RebuildOptions options)
    {
        if (active is null || options.Quantizer.Stability.Fresh)
        {
            return (null, active is null ? null : "quantizer.stability.fresh");
        }

        try
        {
            var folder = versions.Open(active);
            if (folder.Manifest.Description.Dataset != dataset.Name)
            {
                return (null, $"{active} is of the dataset '{folder.Manifest.Description.Dataset}'");
            }

            var report = RebuildReport.FromJson(File.ReadAllText(folder.PathOf(RebuildReport.FileName)));
            if (report.FitAll && !fitAll)
            {
                return (null, $"{active} has seen the interactions that the gates ask for");
            }

            double error = report.Quantizer!.ReconstructionError;
            var codes = new EarlierCodes(
                active, folder.PathOf(RebuildJob.CodebookFolder), folder.Items.Append(versions.Appended(active)),
                report.Codebook ?? new CodebookOrigin(true, error, error), options.Device);
            string? misfit = codes.Misfit(embeddings, options.Quantizer);
            return misfit is null ? (codes, null) : (null, misfit);
        }
        catch (Exception damaged) when (damaged is CatalogException or System.Text.Json.JsonException or IOException)
        {
            return (null, $"{active} cannot be read: {damaged.Message}");
        }
    }
}
