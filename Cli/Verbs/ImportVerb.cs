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
        var set = new List<Func<ParseResult, ImportOptions, ImportOptions>>();
        var target = VerbOption.Required<string>("--out", "The dataset folder to write.");
        command.Options.Add(target);
        Text("--posters", "Folder of posters that belong to MovieLens.", (to, value) => to with { Posters = value });
        Text("--sequences", "One user a line: user item item …, oldest first.", (to, value) => to with { Sequences = value });
        Text("--interactions", ".csv, .parquet or .jsonl with user, item, time.", (to, value) => to with { Interactions = value });
        Text("--interactions-sql", "A query over files instead.", (to, value) => to with { InteractionsSql = value });
        Text("--items", "Items: .tsv, .csv, .parquet or .jsonl.", (to, value) => to with { Items = value });
        Text("--items-sql", "A query over files that gives the items.", (to, value) => to with { ItemsSql = value });
        Text("--user-column", "In the interactions (default: user, user_id, …).", (to, value) => to with { UserColumn = value });
        Text("--item-column", "In the interactions (default: item, item_id, …).", (to, value) => to with { ItemColumn = value });
        Text("--time-column", "In the interactions (default: timestamp, ts, …).", (to, value) => to with { TimeColumn = value });
        Text("--id-column", "In the items (default: item_id, id, …).", (to, value) => to with { ItemIdColumn = value });
        Text("--title-column", "In the items (default: title, name, …).", (to, value) => to with { TitleColumn = value });
        Text("--image-column", "In the items (default: image).", (to, value) => to with { ImageColumn = value });
        Text("--images", "Folder or zip of pictures.", (to, value) => to with { Images = value });
        Add(
            VerbOption.Many("--embeddings", "NAME=FILE, .npy or .parquet, as often as needed."),
            (to, value) => to with { Embeddings = Named(value) });
        Flag("--drop-unknown", "Drop and count what belongs to unknown items.", (to, value) => to with { DropUnknown = value });
        Flag("--drop-duplicates", "Keep one of equal interactions.", (to, value) => to with { DropDuplicates = value });
        Add(
            VerbOption.Of<int?>("--k-core", "Keep users and items with this many interactions among each other."),
            (to, value) => to with { KCore = value });
        Add(
            VerbOption.Of<int?>("--counts", "Write counts/: popularity, and pairs up to so many steps apart (1 to 100)."),
            (to, value) => to with { PairWindow = value });
        Add(
            VerbOption.Of<double?>("--cold-items", "Keep this share of the items out of training: eval then measures them as new ones."),
            (to, value) => to with { ColdItems = value });
        Add(VerbOption.Of<long>("--seed", "Of the draw of cold items (17)."), (to, value) => to with { Seed = value });
        Text("--memory-limit", "For tables and sorts, such as 512MB (2GB).", (to, value) => to with { MemoryLimit = Bytes(value) });
        Text("--name", "The dataset's name.", (to, value) => to with { Name = value });
        Text("--licence", "What may be done with the data; kept in dataset.json.", (to, value) => to with { Licence = value });
        Flag("--force", "Replace the folder if it exists.", (to, value) => to with { Force = value });
        command.OnRun((parsed, cancel) => Task.Run(() =>
        {
            var options = set.Aggregate(
                new ImportOptions(parsed.GetValue(sources) ?? [], parsed.GetValue(target)!), (to, one) => one(parsed, to));
            ImportReport report;
            using (var progress = new ProgressView())
            {
                report = DatasetImporter.Import(options, progress);
            }

            using var dataset = Dataset.Open(report.Path);
            var (name, path, sha256) = (dataset.Name, dataset.Path, dataset.Sha256);
            string embeddings = dataset.EmbeddingNames.Count == 0 ? "none yet" : string.Join(", ", dataset.EmbeddingNames);
            int pictures = dataset.Images is { } images ? Enumerable.Range(0, dataset.ItemCount).Count(images.Has) : 0;
            return new VerbResult(
                new { dataset = name, path, sha256, report },
                output =>
                {
                    output.WriteLine($"{name}: {report.Items} items, {report.Users} users, {report.Interactions} interactions");
                    output.WriteLine($"embeddings: {embeddings}");
                    output.WriteLine($"pictures: {pictures}");
                    foreach (string note in report.Notes)
                    {
                        output.WriteLine(note);
                    }

                    output.WriteLine($"{path}, sha256 {sha256}");
                });
        }, cancel));
        return command;

        void Text(string name, string description, Func<ImportOptions, string, ImportOptions> put) =>
            Add(VerbOption.Of<string?>(name, description), (to, value) => put(to, value!));

        void Flag(string name, string description, Func<ImportOptions, bool, ImportOptions> put) =>
            Add(VerbOption.Of<bool>(name, description), put);

        void Add<T>(Option<T> option, Func<ImportOptions, T, ImportOptions> put)
        {
            command.Options.Add(option);
            set.Add((parsed, to) => parsed.GetResult(option) is null ? to : put(to, parsed.GetValue(option)!));
        }
    }

    private static long Bytes(string text)
    {
        string number = text.TrimEnd('B', 'b', 'i', 'G', 'g', 'M', 'm');
        int shift = text[number.Length..].ToUpperInvariant() switch { "GB" or "GIB" or "G" => 30, "MB" or "MIB" or "M" => 20, _ => 0 };
        return shift > 0 && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int count)
            ? (long)count << shift
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
