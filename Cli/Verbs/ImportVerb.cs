using System.CommandLine;
using Recsys.Catalog;
using Recsys.Cli.Terminal;
using Recsys.Datasets;

namespace Recsys.Cli.Verbs;

internal static class ImportVerb
{
    public static Command Create()
    {
        var sources = new Argument<string[]>("sources") { Description = "Folders in a known layout (a dataset folder, S3-Rec sequences, MovieLens, fashion photos, emoji).", Arity = ArgumentArity.ZeroOrMore };
        var target = new Option<string>("--out") { Description = "The dataset folder to write.", Required = true };
        var posters = new Option<string?>("--posters") { Description = "Folder of posters that belong to MovieLens." };
        var sequences = new Option<string?>("--sequences") { Description = "Text file, one user a line: user item item …, oldest first." };
        var interactions = new Option<string?>("--interactions") { Description = "CSV with the columns user, item, timestamp." };
        var items = new Option<string?>("--items") { Description = "Items, .tsv or .jsonl." };
        var embeddings = new Option<string[]>("--embeddings") { Description = "NAME=FILE.npy, as often as needed.", AllowMultipleArgumentsPerToken = true };
        var images = new Option<string?>("--images") { Description = "Folder or zip of pictures." };
        var name = new Option<string?>("--name") { Description = "The dataset's name." };
        var force = new Option<bool>("--force") { Description = "Replace the folder if it exists." };
        var licence = new Option<string?>("--licence") { Description = "What may be done with the data; kept in dataset.json." };
        var command = new Command("import", "Build a dataset folder from other files.") { sources, target, posters, sequences, interactions, items, embeddings, images, name, licence, force };
        command.OnRun((parsed, cancel) => Task.Run(() =>
        {
            ImportReport report;
            using (var progress = new ProgressView())
            {
                report = DatasetImporter.Import(
                    new ImportOptions(parsed.GetValue(sources) ?? [], parsed.GetValue(target)!)
                    {
                        Posters = parsed.GetValue(posters),
                        Sequences = parsed.GetValue(sequences),
                        Interactions = parsed.GetValue(interactions),
                        Items = parsed.GetValue(items),
                        Embeddings = Named(parsed.GetValue(embeddings) ?? []),
                        Images = parsed.GetValue(images),
                        Name = parsed.GetValue(name),
                        Licence = parsed.GetValue(licence),
                        Force = parsed.GetValue(force),
                    },
                    progress);
            }

            using var dataset = Dataset.Open(parsed.GetValue(target)!);
            return new VerbResult(
                new { dataset = dataset.Name, path = dataset.Path, sha256 = dataset.Sha256, report },
                output =>
                {
                    output.WriteLine(
                        $"{dataset.Name}: {dataset.ItemCount} items, {dataset.Sequences.Count} users, {dataset.Sequences.Items.Length} "
                        + "interactions");
                    output.WriteLine(
                        $"embeddings: {(dataset.EmbeddingNames.Count == 0 ? "none yet" : string.Join(", ", dataset.EmbeddingNames))}");
                    output.WriteLine(
                        $"pictures: {(dataset.Images is { } images ? Enumerable.Range(0, dataset.ItemCount).Count(images.Has) : 0)}");
                    foreach (string note in report.Notes)
                    {
                        output.WriteLine(note);
                    }

                    output.WriteLine($"{dataset.Path}, sha256 {dataset.Sha256}");
                });
        }, cancel));
        return command;
    }

    private static Dictionary<string, string> Named(IEnumerable<string> given) => given.Select(text => text.Split('=', 2)).ToDictionary(
        parts =>
            parts.Length == 2 && parts[0].Length > 0
                ? parts[0]
                : throw CatalogException.Invalid($"--embeddings '{parts[0]}': write NAME=FILE.npy."),
        parts => parts[1]);
}
