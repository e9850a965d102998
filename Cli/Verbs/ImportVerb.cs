using System.CommandLine;
using System.Globalization;
using Recsys.Catalog;
using Recsys.Cli.Terminal;
using Recsys.Datasets;

namespace Recsys.Cli.Verbs;

internal static class ImportVerb
{
    public static Command Create()
    {
        var sources = new Argument<string[]>("sources")
        {
            Description = "Folders in a known layout (a dataset folder, S3-Rec sequences, MovieLens, fashion photos, emoji).",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var command = new Command("import", "Build a dataset folder from other files.") { sources };
        var target = new Option<string>("--out") { Description = "The dataset folder to write.", Required = true };
        command.Options.Add(target);
        var posters = Text("--posters", "Folder of posters that belong to MovieLens.");
        var sequences = Text("--sequences", "Text file, one user a line: user item item …, oldest first.");
        var interactions = Text("--interactions", "Interactions: .csv, .parquet or .jsonl with columns for user, item and time.");
        var interactionsSql = Text("--interactions-sql", "A query over files instead, such as \"SELECT * FROM 'events/*.parquet'\".");
        var items = Text("--items", "Items: .tsv, .csv, .parquet or .jsonl.");
        var itemsSql = Text("--items-sql", "A query over files that gives the items.");
        var user = Text("--user-column", "The user's column of the interactions (default: user, user_id, …).");
        var item = Text("--item-column", "The item's column of the interactions (default: item, item_id, product_id, parent_asin, …).");
        var time = Text("--time-column", "The time's column of the interactions (default: timestamp, event_time, ts, …).");
        var id = Text("--id-column", "The id's column of the items (default: item_id, product_id, id, …, else the first).");
        var title = Text("--title-column", "The title's column of the items (default: title, name, …).");
        var image = Text("--image-column", "The picture's column of the items (default: image).");
        var core = new Option<int?>("--k-core") { Description = "Keep users and items with this many interactions among each other." };
        var unknown = Flag("--drop-unknown", "Drop interactions with items that are not among the items, and count them.");
        var twice = Flag("--drop-duplicates", "Keep one of the interactions with the same user, item and time.");
        var counts = new Option<int?>("--counts")
        {
            Description = "Write counts/: popularity, and pairs up to this many steps apart (1 to 100), of the training part.",
        };
        var memory = Text("--memory-limit", "What tables and sorts may use, such as 512MB or 4GB (default: 2GB); the rest is on disk.");
        var embeddings = new Option<string[]>("--embeddings")
        {
            Description = "NAME=FILE, .npy or .parquet, as often as needed.",
            AllowMultipleArgumentsPerToken = true,
        };
        var images = Text("--images", "Folder or zip of pictures.");
        var name = Text("--name", "The dataset's name.");
        var licence = Text("--licence", "What may be done with the data; kept in dataset.json.");
        var force = Flag("--force", "Replace the folder if it exists.");
        foreach (Option option in new Option[] { core, counts, embeddings })
        {
            command.Options.Add(option);
        }

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
                        InteractionsSql = parsed.GetValue(interactionsSql),
                        Items = parsed.GetValue(items),
                        ItemsSql = parsed.GetValue(itemsSql),
                        UserColumn = parsed.GetValue(user),
                        ItemColumn = parsed.GetValue(item),
                        TimeColumn = parsed.GetValue(time),
                        ItemIdColumn = parsed.GetValue(id),
                        TitleColumn = parsed.GetValue(title),
                        ImageColumn = parsed.GetValue(image),
                        KCore = parsed.GetValue(core),
                        DropUnknown = parsed.GetValue(unknown),
                        DropDuplicates = parsed.GetValue(twice),
                        PairWindow = parsed.GetValue(counts),
                        MemoryLimit = parsed.GetValue(memory) is { } limit ? Bytes(limit) : null,
                        Embeddings = Named(parsed.GetValue(embeddings) ?? []),
                        Images = parsed.GetValue(images),
                        Name = parsed.GetValue(name),
                        Licence = parsed.GetValue(licence),
                        Force = parsed.GetValue(force),
                    },
                    progress);
            }

            using var dataset = Dataset.Open(report.Path);
            return new VerbResult(
                new { dataset = dataset.Name, path = dataset.Path, sha256 = dataset.Sha256, report },
                output =>
                {
                    output.WriteLine(
                        $"{dataset.Name}: {report.Items} items, {report.Users} users, {report.Interactions} interactions");
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

        Option<string?> Text(string option, string description) => Added(new Option<string?>(option) { Description = description });

        Option<bool> Flag(string option, string description) => Added(new Option<bool>(option) { Description = description });

        T Added<T>(T option)
            where T : Option
        {
            command.Options.Add(option);
            return option;
        }
    }

    private static long Bytes(string text)
    {
        string number = text.TrimEnd('B', 'b', 'i', 'G', 'g', 'M', 'm');
        long unit = text[number.Length..].ToUpperInvariant() switch { "GB" or "GIB" or "G" => 1L << 30, "MB" or "MIB" or "M" => 1L << 20, _ => 0 };
        return unit > 0 && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int count)
            ? count * unit
            : throw CatalogException.Invalid($"--memory-limit '{text}'; allowed: a whole number with MB or GB, such as 512MB.");
    }

    private static Dictionary<string, string> Named(IEnumerable<string> given)
    {
        var named = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string[] parts in given.Select(text => text.Split('=', 2)))
        {
            if (parts.Length < 2 || parts[0].Length == 0 || !named.TryAdd(parts[0], parts[1]))
            {
                throw CatalogException.Invalid($"--embeddings '{string.Join('=', parts)}': write NAME=FILE, each name once.");
            }
        }

        return named;
    }
}
