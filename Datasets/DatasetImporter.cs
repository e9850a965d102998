using Recsys.Catalog;
using Recsys.Datasets.Tables;
using Recsys.Files;

namespace Recsys.Datasets;

/// <summary>
/// Builds a dataset folder from sources, atomically: all is read, validated and written into a staging folder, which is then
/// renamed. Pictures are not decoded here; only that they exist is checked.
/// </summary>
public static class DatasetImporter
{
    /// <exception cref="CatalogException">Every fault of a file with its line; nothing is left behind.</exception>
    public static ImportReport Import(ImportOptions options, IProgress<StageProgress>? progress = null)
    {
        var source = Recognise(options);
        foreach (var name in source.Embeddings.Keys.Where(name => !SafeName.IsValid(name)))
        {
            throw CatalogException.Invalid(
                $"Embedding name '{name}'; allowed: 1 to 100 letters, digits, '.', '-' or '_', not starting with '.'.");
        }

        ImportReport report;
        using var staged = new StagedFolder(options.Out, options.Force);
        string folder = staged.Path;
        progress?.Report(new StageProgress("import", 0, 4, "images"));
        CopyImages(source.Images, folder);
        progress?.Report(new StageProgress("import", 1, 4, "items"));
        int withImage = source.Items is null ? 0 : WriteItems(source, folder);
        progress?.Report(new StageProgress("import", 2, 4, "interactions"));
        var interactions = WriteInteractions(source, options, folder);
        progress?.Report(new StageProgress("import", 3, 4, "embeddings"));
        var cold = KeepColdItemsOut(options, source, folder);
        string[] notes = [.. source.Notes, .. interactions.Notes, .. cold.Notes, .. CopyEmbeddings(source, options, folder)];
        string note = string.Join(" ", new[] { source.Description.Note }.Concat(notes).Where(text => text is not null).Distinct());
        (source.Description with
        {
            Name = options.Name ?? source.Description.Name,
            Licence = options.Licence ?? source.Description.Licence,
            Simulated = options.Simulated ?? source.Description.Simulated,
            Note = note.Length == 0 ? null : note,
        }).Write(folder);

        using (var dataset = Dataset.Open(folder, options.DropUnknown))
        {
            report = new ImportReport(
                dataset.Name, System.IO.Path.GetFullPath(options.Out), source.Format, cold.Users ?? interactions.Users, dataset.ItemCount,
                cold.Count ?? interactions.Count, withImage, dataset.EmbeddingNames, interactions.UnknownDropped, notes);
        }

        staged.Complete();
        progress?.Report(new StageProgress("import", 4, 4));
        return report;
    }

    private static ImportSource Recognise(ImportOptions options)
    {
        if (new[] { options.Sequences, options.Interactions, options.InteractionsSql }.Count(given => given is not null) > 1
            || (options.Items is not null && options.ItemsSql is not null))
        {
            throw CatalogException.Invalid("Give one of --sequences, --interactions and --interactions-sql, and one of --items and "
                + "--items-sql.");
        }

        if (options.KCore is < 1 || options.PairWindow is < 1 or > 100)
        {
            throw CatalogException.Invalid(
                $"--k-core is {options.KCore}, --counts is {options.PairWindow}; allowed: 1 and more, and 1 to 100.");
        }

        var folders = new List<string>(options.Sources);
        foreach (string missing in folders.Append(options.Posters).OfType<string>().Where(folder => !Directory.Exists(folder)))
        {
            throw CatalogException.NotFound($"Source folder '{missing}' does not exist.");
        }

        string? movies = folders.Find(MovieLensSource.Recognises);
        string? posters = options.Posters ?? (movies is null ? null : folders.Find(MovieLensSource.RecognisesPosters));
        if (movies is not null)
        {
            folders.Remove(movies);
            folders.Remove(posters ?? "");
        }
        else if (options.Posters is not null)
        {
            throw CatalogException.Invalid(
                $"--posters goes with movielens-100k, but none of the sources is it: {string.Join(", ", folders)}.");
        }

        return (movies, folders) switch
        {
            (not null, []) => MovieLensSource.Read(movies, posters),
            (null, []) => FolderSource.Read(options, null),
            (null, [var folder]) => FolderSource.Read(options, folder),
            _ => throw CatalogException.Invalid(
                $"These sources make no one dataset: {string.Join(", ", options.Sources)}. "
                + "Allowed: one folder, or movielens-100k with movielens-posters."),
        };
    }

    private static int WriteItems(ImportSource source, string folder)
    {
        using var images = ImageFiles.Locate(folder) is { } path
            ? new ImageFiles(path, source.Items!().Select(item => (item.Id, item.Image))) : null;
        var faults = new Faults(source.Images ?? folder);
        foreach (var (index, item) in images is null ? [] : source.Items!().Index())
        {
            if (item.Image is not null && images?.Has(index) == false)
            {
                faults.Add(
                    $"item '{item.Id}' names the picture '{item.Image}', which is not there (or two have that name); "
                    + "add it, or leave the cell empty");
            }
        }

        faults.ThrowIfAny();
        int count = 0;
        AtomicFile.Write(System.IO.Path.Combine(folder, ItemFile.Tsv), stream => count = ItemFile.WriteTsv(
            stream, () => source.Items!().Select((item, index) => item with { Image = images?.NameOf(index) })));
        return Enumerable.Range(0, count).Count(item => images?.Has(item) == true);
    }

    private static void CopyImages(string? path, string folder)
    {
        if (path is null)
        {
            return;
        }

        using var images = new ImageFiles(path, []);
        if (File.Exists(path))
        {
            Copy(path, System.IO.Path.Combine(folder, ImageFiles.Zip));
            return;
        }

        foreach (string name in images.Names.Where(ImageNames.IsImage))
        {
            Copy(System.IO.Path.Combine(path, name), System.IO.Path.Combine(folder, ImageFiles.Folder, name));
        }
    }

    /// <summary>Histories go over as they are, tables through SQL; without an items file, they name the items.</summary>
    private static (int Users, long Count, long UnknownDropped, string[] Notes) WriteInteractions(
        ImportSource source, ImportOptions options, string folder)
    {
        string items = System.IO.Path.Combine(folder, ItemFile.Tsv);
        bool filtered = options is not { DropUnknown: false, DropDuplicates: false, KCore: null, PairWindow: null };
        if (source.Histories is not null)
        {
            var ids = source.Items is null ? new(StringComparer.Ordinal) : ItemFile.ReadIds(items);
            var unknown = source.Items is null ? UnknownItems.Added : options.DropUnknown ? UnknownItems.Dropped : UnknownItems.Refused;
            var (histories, _, _) = SequenceFile.Read(source.Histories, ids, unknown);
            if (!filtered)
            {
                WriteBareItems(source, items, ids.Keys);
                Copy(source.Histories, System.IO.Path.Combine(folder, SequenceFile.Text));
                return (histories.Count, histories.Items.Length, 0, []);
            }
        }
        else if (source.Interactions is null)
        {
            return (0, 0, 0, []);
        }

        using var engine = new TableEngine(folder, options.MemoryLimit);
        var rows = source.Interactions?.Invoke(engine) ?? TableSource.Histories(engine, source.Histories!);
        var table = InteractionTable.Load(
            engine, rows, (options.UserColumn, options.ItemColumn, options.TimeColumn),
            source.Items is null ? null : ItemFile.Read(items, default).Select(item => item.Id), options.DropUnknown);
        var notes = new List<string>();
        Note(table.UnknownDropped, "of items that are not in the items file were dropped (--drop-unknown)");
        Note(options.DropDuplicates ? table.DropDuplicates() : 0, "that repeat another with its time were dropped (--drop-duplicates)");
        Note(options.KCore is { } k ? table.KeepCore(k) : 0, $"outside the {options.KCore}-core were dropped (--k-core)");
        if (table.Rows == 0)
        {
            throw CatalogException.Invalid($"{rows.Label}: no interactions are left. {string.Join(" ", notes)}");
        }

        WriteBareItems(source, items, table.ItemIds);
        table.WriteCsv(System.IO.Path.Combine(folder, SequenceFile.Csv));
        if (options.PairWindow is { } window)
        {
            InteractionCounts.Write(engine, System.IO.Path.Combine(folder, InteractionCounts.Folder), window);
        }

        return (checked((int)table.Users), table.Rows, table.UnknownDropped, [.. notes]);

        void Note(long count, string what)
        {
            if (count > 0)
            {
                notes.Add($"{count} interactions {what}.");
            }
        }
    }

    /// <summary>Replaces the histories by those without the cold items.</summary>
    /// <returns>What is left, null where nothing was asked for.</returns>
    private static (int? Users, long? Count, string[] Notes) KeepColdItemsOut(ImportOptions options, ImportSource source, string folder)
    {
        if (options.ColdItems is not { } share)
        {
            return (null, null, []);
        }

        if (share is not (> 0 and < 1) || options.PairWindow is not null)
        {
            throw CatalogException.Invalid(
                FormattableString.Invariant($"--cold-items is {share}{(options.PairWindow is null ? "" : " with --counts")}; ")
                + "allowed: above 0 to below 1, without --counts, which would count what is kept out.");
        }

        if (SequenceFile.Locate(folder) is not { } file)
        {
            throw CatalogException.Invalid("--cold-items needs interactions: give --sequences, --interactions, or a folder that has them.");
        }

        var ids = ItemFile.ReadIds(System.IO.Path.Combine(folder, ItemFile.Tsv));
        var (all, _, _) = SequenceFile.Read(file, ids, options.DropUnknown ? UnknownItems.Dropped : UnknownItems.Refused);
        if (all.Users.Concat(ids.Keys).FirstOrDefault(id => id.Any(char.IsWhiteSpace)) is { } spaced)
        {
            throw CatalogException.Invalid($"--cold-items: the id '{spaced}' holds white space, which {SequenceFile.Text} cannot.");
        }

        var cold = ColdItems.Draw(all, ids.Count, share, options.Seed);
        File.Delete(file);
        AtomicFile.Write(
            System.IO.Path.Combine(folder, SequenceFile.Text), stream => SequenceFile.WriteText(stream, cold.Sequences, ids.Keys));
        return (
            cold.Sequences.Count, cold.Sequences.Items.Length,
            [
                $"{cold.Items.Length} items drawn by seed {options.Seed} are kept out of training, and are the target of {cold.Targets} "
                    + $"users; {all.Items.Length - cold.Sequences.Items.Length} interactions and {all.Count - cold.Sequences.Count} users "
                    + "are left out (--cold-items).",
            ]);
    }

    private static void WriteBareItems(ImportSource source, string path, IEnumerable<string> ids)
    {
        if (source.Items is null)
        {
            var none = new Dictionary<string, string>();
            AtomicFile.Write(path, stream => ItemFile.WriteTsv(stream, () => ids.Select(id => new Item(id, "", none, null))));
        }
    }

    private static List<string> CopyEmbeddings(ImportSource source, ImportOptions options, string folder)
    {
        var notes = new List<string>();
        var items = source.Embeddings.Count == 0 ? [] : ItemFile.ReadIds(System.IO.Path.Combine(folder, ItemFile.Tsv));
        foreach (var (name, file) in source.Embeddings)
        {
            if (!File.Exists(file))
            {
                throw CatalogException.NotFound($"Embedding '{name}': file '{file}' does not exist.");
            }

            string target = EmbeddingFile.PathOf(folder, name);
            if (!file.EndsWith(".npy", StringComparison.OrdinalIgnoreCase))
            {
                long dropped = VectorRows.Import(file, target, options.ItemIdColumn, items, options.DropUnknown);
                if (dropped > 0)
                {
                    notes.Add($"{dropped} vectors of embedding {name} were dropped: their items are not in the items file.");
                }

                continue;
            }

            EmbeddingFile.Validate(file, items, options.DropUnknown);
            Copy(file, target);
            if (File.Exists(EmbeddingFile.IdsPathOf(file)))
            {
                Copy(EmbeddingFile.IdsPathOf(file), EmbeddingFile.IdsPathOf(target));
            }
        }

        return notes;
    }

    // Sources may be read-only, and their permissions would come along with File.Copy.
    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(to)!);
        using var source = new FileStream(from, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20);
        using var target = new FileStream(to, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 20);
        source.CopyTo(target);
        target.Flush(flushToDisk: true);
    }
}
