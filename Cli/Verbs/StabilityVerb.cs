using System.CommandLine;
using Recsys.Catalog;
using Recsys.Cli.Report;
using Recsys.Cli.Terminal;
using Recsys.Jobs.Quantizers;

namespace Recsys.Cli.Verbs;

/// <summary>What moves from one night to the next, shown on a dataset that is cut by time.</summary>
internal static class StabilityVerb
{
    private static readonly Option<double> Share = VerbOption.Of(
        "--share", "Of the catalogue and of the interactions that the later night alone has, above 0 to 0.9.", 0.1);

    private static readonly Option<int> Seeds = VerbOption.Of(
        "--seeds", "Trainings that --retrieval-steps makes of each, from --seed on.", 1);

    public static Command Create()
    {
        var stability = new Command(
            "stability", "Cut a dataset by time into two nights, and count the IDs that move between them, and what that costs.")
        {
            FolderOptions.Data, Share, QuantizerVerb.RetrievalSteps, QuantizerVerb.Users, Seeds, QuantizerVerb.Seed, DeviceOption.Device,
            DatasetOptions.DropUnknown,
        };
        stability.AddEncoders();
        stability.OnCompute((parsed, cancel) => Task.Run(() => Run(parsed, cancel), cancel));
        return stability;
    }

    private static VerbResult Run(ParseResult parsed, CancellationToken cancel)
    {
        var options = parsed.Configuration().Quantizer;
        options.Validate();
        var (share, count, steps) = (parsed.GetValue(Share), parsed.GetValue(Seeds), parsed.GetValue(QuantizerVerb.RetrievalSteps));
        if (share is not (> 0 and <= 0.9) || count is < 1 or > 100 || steps < 0)
        {
            throw CatalogException.Invalid(
                $"--share {share}, --seeds {count}, --retrieval-steps {steps}: allowed are above 0 to 0.9, 1 to 100, and 0 or more.");
        }

        using var dataset = parsed.Open(parsed.GetValue(FolderOptions.Data)!);
        using var progress = new ProgressView();
        long seed = parsed.GetValue(QuantizerVerb.Seed);
        var (users, device) = (parsed.GetValue(QuantizerVerb.Users), parsed.DeviceOr("cpu"));
        var report = new StabilityTrial(dataset, parsed.Encoders(), options, share).Run(
            [.. Enumerable.Range(0, count).Select(i => seed + i)],
            steps == 0 ? null : one => new CodeRetrieval(dataset, steps, users, one, device, cancel), progress, cancel);
        string name = dataset.Name;
        return new VerbResult(new { dataset = name, dataset_sha256 = dataset.Sha256, seed, retrieval_steps = steps, report }, output =>
        {
            output.WriteLine(
                $"{name}: {report.Items} items, {report.NewItems:P1} of them new, "
                + $"{report.NewInteractions:P1} of the interactions; seed {seed}");
            QuantizerTables.Print(output, QuantizerTables.Stability(report));
        });
    }
}
