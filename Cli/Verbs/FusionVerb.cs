using System.CommandLine;
using Recsys.Catalog;
using Recsys.Cli.Report;
using Recsys.Cli.Terminal;
using Recsys.Jobs.Quantizers;
using Recsys.Quantizer.Audit;
using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Training;

namespace Recsys.Cli.Verbs;

/// <summary>Whether items that lack an embedding still get IDs among items of their category.</summary>
internal static class FusionVerb
{
    private const int Sample = 2000;

    private static readonly Option<string> Category =
        VerbOption.Required<string>("--category", "The column of the items file that says what belongs together.");

    public static Command Create()
    {
        var fusion = new Command(
            "fusion", "Take each embedding in turn from a sample of items, and see whether their IDs still lie in their category.")
        {
            FolderOptions.Data, Category, QuantizerVerb.Seed, DeviceOption.Device, DatasetOptions.DropUnknown,
        };
        fusion.AddEncoders();
        fusion.OnCompute((parsed, cancel) => Task.Run(() => Run(parsed, cancel), cancel));
        return fusion;
    }

    private static VerbResult Run(ParseResult parsed, CancellationToken cancel)
    {
        var options = parsed.Configuration().Quantizer;
        using var dataset = parsed.Open(parsed.GetValue(FolderOptions.Data)!);
        string column = parsed.GetValue(Category)!;
        string[] categories = [.. dataset.ReadItems().Select(item => item.Fields.GetValueOrDefault(column, ""))];
        if (Array.TrueForAll(categories, category => category.Length == 0))
        {
            throw CatalogException.Invalid($"--category {column}: no item of '{dataset.Name}' has such a field.");
        }

        using var progress = new ProgressView();
        var embeddings = DatasetVectors.Vectors(DatasetVectors.Embed(dataset, parsed.Encoders(), progress, cancel));
        long seed = parsed.GetValue(QuantizerVerb.Seed);
        var fused = Fusion.Fit(embeddings, options.Fusion).Apply(embeddings);
        using var codebook = QuantizerTrainer.Train(fused, options, seed, progress, cancel, parsed.DeviceOr("cpu"));
        var rows = FusionTrial.Run(codebook, embeddings, categories, Sample, seed);
        string name = dataset.Name;
        return new VerbResult(new { dataset = name, dataset_sha256 = dataset.Sha256, category = column, seed, rows }, output =>
        {
            output.WriteLine($"{name}: {fused.Count} items, category '{column}', seed {seed}");
            QuantizerTables.Print(output, QuantizerTables.Removed(rows));
        });
    }
}
