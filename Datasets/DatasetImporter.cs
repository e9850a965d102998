using Recsys.Catalog;
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

        using var staged = new StagedFolder(options.Out, options.Force);
        string folder = staged.Path;
        progress?.Report(new StageProgress("import", 0, 4, "images"));
        CopyImages(source.Images, folder);
        progress?.Report(new StageProgress("import", 1, 4, "items"));
        int withImage = WriteItems(source, folder);
        progress?.Report(new StageProgress("import", 2, 4, "interactions"));
        WriteInteractions(source, folder);
        progress?.Report(new StageProgress("import", 3, 4, "embeddings"));
        CopyEmbeddings(source, folder);
        string note = string.Join(" ", new[] { source.Description.Note }.Concat(source.Notes).Where(text => text is not null).Distinct());
        (source.Description with
        {
            Name = options.Name ?? source.Description.Name,
            Licence = options.Licence ?? source.Description.Licence,
            Simulated = options.Simulated ?? source.Description.Simulated,
            Note = note.Length == 0 ? null : note,
        }).Write(folder);

        var report = Validate(folder, source, withImage, System.IO.Path.GetFullPath(options.Out));
        staged.Complete();
        progress?.Report(new StageProgress("import", 4, 4));
        return report;
    }

    private static ImportSource Recognise(ImportOptions options)
    {
        if (options.Sequences is not null && options.Interactions is not null)
        {
            throw CatalogException.Invalid("Both --sequences and --interactions were given; a dataset has one of them.");
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
        string path = System.IO.Path.Combine(folder, ItemFile.Tsv);
        if (source.Items is null)
        {
            var ids = IdTable.Growing();
            _ = SequenceFile.Read(source.InteractionFile!, ids);
            AtomicFile.Write(
                path,
                stream => ItemFile.WriteTsv(stream, () => ids.Ids.Select(id => new Item(id, "", new Dictionary<string, string>(), null))));
            return 0;
        }

        var names = ImageFiles(folder);
        int[] image = names.Count == 0 ? [] : ImageNames.Resolve(source.Items().Select(item => (item.Id, item.Image)), names);
        CheckImages(source, image, folder);
        AtomicFile.Write(path, stream => ItemFile.WriteTsv(stream, () => source.Items().Select((item, index) =>
            item with { Image = image.Length == 0 || image[index] < 0 ? null : names[image[index]] })));
        return image.Count(at => at >= 0);
    }

    private static void CheckImages(ImportSource source, int[] image, string folder)
    {
        var faults = new Faults(source.Images ?? folder);
        foreach (var (item, index) in image.Length == 0 ? [] : source.Items!().Select((item, index) => (item, index)))
        {
            if (item.Image is not null && image[index] < 0)
            {
                faults.Add(
                    $"item '{item.Id}' names the picture '{item.Image}', which is not there (or two have that name); "
                    + "add it, or leave the cell empty");
            }
        }

        faults.ThrowIfAny();
    }

    private static IReadOnlyList<string> ImageFiles(string folder)
    {
        string zip = System.IO.Path.Combine(folder, "images.zip"), images = System.IO.Path.Combine(folder, "images");
        if (File.Exists(zip))
        {
            using var archive = ZipFile.Open(zip);
            return [.. archive.Entries.Select(entry => entry.Name)];
        }

        return Directory.Exists(images)
            ? [.. Directory.EnumerateFiles(images, "*", SearchOption.AllDirectories)
                .Select(file => System.IO.Path.GetRelativePath(images, file).Replace('\\', '/')).Order(StringComparer.Ordinal)]
            : [];
    }

    private static void CopyImages(string? images, string folder)
    {
        if (images is null)
        {
            return;
        }

        if (File.Exists(images))
        {
            using (ZipFile.Open(images))
            {
                Copy(images, System.IO.Path.Combine(folder, "images.zip"));
            }

            return;
        }

        if (!Directory.Exists(images))
        {
            throw CatalogException.NotFound($"Images '{images}' exist neither as a ZIP archive nor as a folder.");
        }

        foreach (string file in Directory.EnumerateFiles(images, "*", SearchOption.AllDirectories).Where(ImageNames.IsImage))
        {
            Copy(file, System.IO.Path.Combine(folder, "images", System.IO.Path.GetRelativePath(images, file)));
        }
    }

    private static void WriteInteractions(ImportSource source, string folder)
    {
        if (source.WriteInteractions is not null)
        {
            AtomicFile.Write(System.IO.Path.Combine(folder, SequenceFile.Csv), source.WriteInteractions);
        }
        else if (source.InteractionFile is not null)
        {
            if (!File.Exists(source.InteractionFile))
            {
                throw CatalogException.NotFound($"File '{source.InteractionFile}' does not exist.");
            }

            bool csv = source.InteractionFile.EndsWith(".csv", StringComparison.OrdinalIgnoreCase);
            Copy(source.InteractionFile, System.IO.Path.Combine(folder, csv ? SequenceFile.Csv : SequenceFile.Text));
        }
    }

    private static void CopyEmbeddings(ImportSource source, string folder)
    {
        foreach (var (name, file) in source.Embeddings)
        {
            if (!File.Exists(file))
            {
                throw CatalogException.NotFound($"Embedding '{name}': file '{file}' does not exist.");
            }

            string target = EmbeddingFile.PathOf(folder, name);
            Copy(file, target);
            if (File.Exists(EmbeddingFile.IdsPathOf(file)))
            {
                Copy(EmbeddingFile.IdsPathOf(file), EmbeddingFile.IdsPathOf(target));
            }
        }
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

    private static ImportReport Validate(string folder, ImportSource source, int withImage, string target)
    {
        using var dataset = Dataset.Open(folder);
        if (source.InteractionFile is not null)
        {
            _ = SequenceFile.Read(source.InteractionFile, IdTable.Of(dataset.ItemIds)); // the source's own path in every fault
        }

        foreach (string file in source.Embeddings.Values)
        {
            EmbeddingFile.Validate(file, dataset.ItemIndex);
        }

        return new ImportReport(
            dataset.Name, target, source.Format, dataset.Sequences.Count, dataset.ItemCount, dataset.Sequences.Items.Length,
            withImage, dataset.EmbeddingNames, source.Notes);
    }
}
