using System.CommandLine;
using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Cli.Report;
using Recsys.Cli.Terminal;
using Recsys.Datasets;
using Recsys.Files;
using Recsys.Jobs.NightlyRebuild;
using Recsys.Jobs.Quantizers;
using Recsys.Quantizer.Audit;
using Recsys.Quantizer.Encoding;
using Recsys.Retrieval;
using Recsys.Store.Versions;
using Recsys.Torch;

namespace Recsys.Cli.Verbs;

/// <summary>Ways to make semantic IDs side by side, and a version's IDs looked through. Neither needs Redis or a server.</summary>
internal static class QuantizerVerb
{
    private static readonly Option<string> Only = VerbOption.Of(
        "--only", "Only the way of this name; where none has it, the ways whose names contain it.", "");
    internal static readonly Option<long> Seed = VerbOption.Of<long>("--seed", "Seeds every training and every sample.", 17);
    internal static readonly Option<int> RetrievalSteps = VerbOption.Of<int>(
        "--retrieval-steps",
        "Also train a small generative model for so many steps on each way's IDs, and print its validation recall@10; 0: none.");

    internal static readonly Option<int> Users =
        VerbOption.Of("--users", "Users that --retrieval-steps asks, drawn by the seed; 0: all.", 2000);

    private static readonly Option<string?> Html =
        VerbOption.Of<string?>("--html", "Also write one HTML page, with maps of code use, here.");
    private static readonly Option<string?> Before =
        VerbOption.Of<string?>("--before", "The version that churn is measured against (default: the dataset's one before).");

    private static readonly Option<string?> Data = VerbOption.Of<string?>(
        "--data", "The dataset folder that the version was built from: adds neighbourhoods and popularity.");

    public static Command Create()
    {
        var compare = new Command("compare", "Train every way to make semantic IDs on one dataset, and measure all of them alike.")
        {
            FolderOptions.Data, Only, RetrievalSteps, Users, Html, Seed, DeviceOption.Device, DatasetOptions.DropUnknown,
        };
        compare.AddEncoders();
        compare.OnCompute((parsed, cancel) => Task.Run(() => Compare(parsed, cancel), cancel));
        var audit = new Command(
            "audit", "A version's semantic IDs looked through: use, sharing, neighbourhoods, popularity, cost, and what moved.")
        {
            FolderOptions.Versions, FolderOptions.Version, Before, Data, Html, Seed, DatasetOptions.DropUnknown,
        };
        audit.AddEncoders();
        audit.OnCompute((parsed, cancel) => Task.Run(() => Audit(parsed, cancel), cancel));
        return new Command("quantizer", "Ways to make semantic IDs, compared; and the semantic IDs of a version, audited.")
        {
            compare, audit, StabilityVerb.Create(), FusionVerb.Create(),
        };
    }

    private static VerbResult Compare(ParseResult parsed, CancellationToken cancel)
    {
        var options = parsed.Configuration().Quantizer;
        options.Validate();
        int steps = parsed.GetValue(RetrievalSteps);
        if (steps < 0)
        {
            throw CatalogException.Invalid($"--retrieval-steps is {steps}; allowed are 0 and more.");
        }

        string only = parsed.GetValue(Only)!, device = parsed.DeviceOr("cpu");
        var all = QuantizerCandidate.All(options);
        var candidates = all.Where(way => way.Name == only).ToList();
        if (candidates.Count == 0)
        {
            candidates = [.. all.Where(way => way.Name.Contains(only, StringComparison.Ordinal))];
        }

        if (candidates.Count == 0)
        {
            throw CatalogException.Invalid(
                $"--only {only}: no way has that in its name. There are: {string.Join("; ", all.Select(way => way.Name))}.");
        }

        using var dataset = parsed.Open(parsed.GetValue(FolderOptions.Data)!);
        using var progress = new ProgressView();
        var embeddings = DatasetVectors.Vectors(DatasetVectors.Embed(dataset, parsed.Encoders(), progress, cancel));
        var fused = Fusion.Fit(embeddings, options.Fusion).Apply(embeddings);
        long seed = parsed.GetValue(Seed);
        var retrieval = steps > 0 ? new CodeRetrieval(dataset, steps, parsed.GetValue(Users), seed, device, cancel) : null;
        var rows = QuantizerComparison.Run(
            fused, candidates, seed, TimeProvider.System, retrieval is null ? null : retrieval.Recall, progress, device, cancel);
        string name = dataset.Name;
        Write(parsed, () => QuantizerPages.Comparison(name, fused, rows, seed, steps));
        return new VerbResult(
            new
            {
                dataset = name, dataset_sha256 = dataset.Sha256, items = fused.Count, dim = fused.Dim, seed, retrieval_steps = steps, rows,
            },
            output =>
            {
                output.WriteLine($"{name}: {fused.Count} items, {fused.Dim} fused values, seed {seed}");
                QuantizerTables.Print(output, QuantizerTables.Comparison(rows));
            });
    }

    private static VerbResult Audit(ParseResult parsed, CancellationToken cancel)
    {
        var versions = new VersionStore(Path.GetFullPath(parsed.GetValue(FolderOptions.Versions)!));
        var all = versions.List();
        string version = parsed.VersionIn(versions);
        var folder = versions.Open(version);
        VersionConsistency.Require(folder);
        string? earlier = parsed.GetValue(Before) ?? all.TakeWhile(manifest => manifest.Version != version)
            .LastOrDefault(manifest => manifest.Description.Dataset == folder.Manifest.Description.Dataset)?.Version;
        (string, ItemTable)? before = earlier is null ? null : (earlier, versions.Open(earlier).Items);
        using var dataset = parsed.GetValue(Data) is { } path ? parsed.Open(path) : null;
        using var progress = new ProgressView();
        using var codebook = Codebook.Load(folder.PathOf(Codebook.PartName));
        NeighbourhoodAudit? neighbourhood = null;
        if (dataset is not null)
        {
            RequireItems(dataset, folder.Items, version);
            var embeddings = DatasetVectors.Vectors(DatasetVectors.Embed(dataset, parsed.Encoders(), progress, cancel));
            var fused = DatasetVectors.Apply(codebook.Fusion, dataset, embeddings);
            neighbourhood = SemanticIdAudit.Neighbourly(codebook, fused, folder.Items.SemanticIds, parsed.GetValue(Seed));
            RequireRecorded(folder, neighbourhood.ReconstructionError);
        }

        var audit = SemanticIdAudit.Of(version, folder.Items, dataset is null ? null : Traffic(dataset), before, neighbourhood);
        audit = Generated(audit, folder, dataset, parsed.GetValue(Seed), cancel);
        Write(parsed, () => QuantizerPages.Audit(audit));
        return new VerbResult(audit, output => QuantizerTables.Print(output, audit));
    }

    /// <summary>Codebooks of one shape can be exchanged, and brought embeddings can change, without a word in any file; but then the codes
    /// do not describe the embeddings as they did when they were made.</summary>
    private static void RequireRecorded(VersionFolder folder, double error)
    {
        double? made = folder.Has(RebuildReport.FileName)
            ? RebuildReport.FromJson(File.ReadAllText(folder.PathOf(RebuildReport.FileName))).Quantizer?.ReconstructionError
            : null;
        if (made is { } then && Math.Abs(error - then) > 0.01 * then)
        {
            throw CatalogException.Precondition(
                $"The codes of version '{folder.Version}' describe the embeddings of this data with an error of {error:F4}; it was "
                + $"{then:F4} when they were made. Codebook, item table and embeddings are not of one rebuild. Give the data that the "
                + "version was built from, or rebuild it.");
        }
    }

    /// <summary>What the version's model generates behind the histories that validation asks behind.</summary>
    private static SemanticIdAudit Generated(
        SemanticIdAudit audit, VersionFolder folder, Dataset? dataset, long seed, CancellationToken cancel)
    {
        var split = dataset is { HasSequences: true } ? new LeaveOneOut(dataset.Sequences) : null;
        if (split is not { EvaluatedUsers.Length: > 0 } || !folder.Has($"{RetrievalModel.PartName}/{ModelFiles.Config}"))
        {
            return audit with { NotGenerated = split is null ? "needs --data with histories" : "no history, or no retrieval model" };
        }

        int[] users = [.. split.EvaluatedUsers];
        new Random(Seeds.ToInt32(seed)).Shuffle(users);
        using var model = RetrievalModel.Load(folder.PathOf(RetrievalModel.PartName));
        var generated = model.Generate(
            [.. users.Take(SemanticIdAudit.Queries).Select(user => split.ValidationHistory(user).ToArray())], folder.Items,
            model.Config.Beam, cancel);
        return generated is null
            ? audit with { NotGenerated = "the retrieval model has no generative leg" }
            : audit with { Generated = GenerationAudit.Of(generated, folder.Items.SemanticIds) };
    }

    private static void RequireItems(Dataset dataset, ItemTable items, string version)
    {
        if (!dataset.ItemIds.SequenceEqual(items.Ids))
        {
            throw CatalogException.Precondition(
                $"Dataset '{dataset.Name}' has other items, or in another order, than version {version}. Give the data that it was built "
                + "from, or leave --data out.");
        }
    }

    /// <summary>[items] interactions in the training part.</summary>
    private static int[]? Traffic(Dataset dataset) =>
        dataset.HasSequences ? new LeaveOneOut(dataset.Sequences).Train.Interactions(dataset.ItemCount) : null;

    private static void Write(ParseResult parsed, Func<string> page)
    {
        if (parsed.GetValue(Html) is { } file)
        {
            AtomicFile.WriteText(Path.GetFullPath(file), page());
        }
    }
}
