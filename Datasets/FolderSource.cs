using Recsys.Catalog;
using Recsys.Datasets.Tables;

namespace Recsys.Datasets;

/// <summary>
/// The generic source: files in our own formats in one folder, or named one by one. Reads amazon-beauty, fashion-products and
/// emoji as they are published beside this project, and any dataset folder.
/// </summary>
internal static class FolderSource
{
    // Columns that are known to be the work of somebody else's model; learning from them would be learning from its answers.
    private static readonly Dictionary<string, string> Derived = new(StringComparer.Ordinal)
    {
        ["idgenrec_text_id"] = "a text id made by another recommender's language model (IDGenRec), no description by the item's owner",
    };

    public static ImportSource Read(ImportOptions options, string? folder)
    {
        string? itemFile = options.Items ?? (folder is null || options.ItemsSql is not null ? null : ItemFile.Locate(folder));
        bool named = (options.Sequences ?? options.Interactions ?? options.InteractionsSql) is not null;
        string? located = named || folder is null ? null : SequenceFile.Locate(folder);
        string? histories = options.Sequences ?? (located?.EndsWith(SequenceFile.Text, StringComparison.Ordinal) == true ? located : null);
        string? table = options.Interactions ?? (histories is null ? located : null);
        if ((itemFile ?? options.ItemsSql ?? histories ?? table ?? options.InteractionsSql) is null)
        {
            throw CatalogException.Invalid(
                $"'{folder}' is of no known format: it has neither {ItemFile.Tsv}, {ItemFile.Jsonl}, {SequenceFile.Text}, "
                + $"{SequenceFile.Csv} nor MovieLens's u.data. Name the files: --sequences FILE or --interactions FILE, --items FILE, "
                + "--embeddings NAME=FILE, --images FOLDER_OR_ZIP.");
        }

        var description = folder is not null && File.Exists(Path.Combine(folder, DatasetDescription.FileName))
            ? DatasetDescription.Read(folder)
            : new DatasetDescription(NameOf(folder ?? itemFile ?? histories ?? table ?? "dataset"));
        string? idColumn = options.ItemIdColumn ?? description.ItemIdColumn;
        var embeddings = folder is null
            ? []
            : EmbeddingFile.Names(folder).ToDictionary(name => name, name => EmbeddingFile.PathOf(folder, name), StringComparer.Ordinal);
        foreach (var (name, file) in options.Embeddings)
        {
            embeddings[name] = Path.GetExtension(file).ToLowerInvariant() is ".npy" or ".parquet" or ".pq" ? file
                : throw CatalogException.Invalid($"File '{file}' ends in '{Path.GetExtension(file)}'; allowed here: .npy, .parquet, .pq.");
        }

        var dropped = itemFile is null ? [] : Derived.Keys.Where(column => ItemFile.HasColumn(itemFile, column)).ToArray();
        return new ImportSource(folder is null ? "files" : "folder", description with { ItemIdColumn = null })
        {
            Items = itemFile is null && options.ItemsSql is null ? null : () => Items().Select(Tidy),
            Histories = histories,
            Interactions = options.InteractionsSql is { } query ? engine => TableSource.Query(engine, "--interactions-sql", query)
                : table is not null ? engine => TableSource.Open(engine, table) : null,
            Embeddings = embeddings,
            Images = options.Images ?? (folder is null ? null : LocateImages(folder)),
            Notes = [.. dropped.Select(column => $"Column {column} was left out: {Derived[column]}."),
                .. folder is not null && File.Exists(Path.Combine(folder, "semantic_ids.tsv"))
                    ? ["semantic_ids.tsv was left out: codes made by others are no features."]
                    : Array.Empty<string>()],
        };

        // Tables of text in our own two formats are read as the dataset folder reads them; DuckDB reads the others.
        IEnumerable<Item> Items() => itemFile is not null && Path.GetExtension(itemFile).ToLowerInvariant() is ".tsv" or ".jsonl"
            ? ItemFile.Read(itemFile!, (idColumn, options.TitleColumn, options.ImageColumn))
            : ItemRows.Read(
                engine => itemFile is null
                    ? TableSource.Query(engine, "--items-sql", options.ItemsSql!) : TableSource.Open(engine, itemFile),
                (idColumn, options.TitleColumn, options.ImageColumn));

        Item Tidy(Item item)
        {
            string? titleColumn = options.TitleColumn is not null || item.Title.Length > 0 ? null
                : ColumnNames.First(item.Fields.Keys, ColumnNames.Title);
            return titleColumn is null && dropped.Length == 0 ? item : item with
            {
                Title = titleColumn is null ? item.Title : item.Fields[titleColumn],
                Fields = item.Fields.Where(
                    field => field.Key != titleColumn && !dropped.Contains(field.Key)).ToDictionary(StringComparer.Ordinal),
            };
        }
    }

    /// <summary><c>images.zip</c>, <c>images/</c>, or the folder's only ZIP archive.</summary>
    public static string? LocateImages(string folder) =>
        ImageFiles.Locate(folder) ?? (Directory.GetFiles(folder, "*.zip") is [var only] ? only : null);

    /// <summary>A name made of a path's last part.</summary>
    public static string NameOf(string path)
    {
        string last = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        string name = string.Concat(
            last.Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' ? letter : '-')).Trim('-');
        return name.Length == 0 ? "dataset" : name[..Math.Min(name.Length, 100)];
    }
}
