using System.Text;
using Recsys.Catalog;
using Recsys.Files;

namespace Recsys.Datasets;

/// <summary>
/// <c>embeddings/NAME.npy</c>, one row an item in the order of the items; or beside it <c>NAME.ids.txt</c>, one item id a line,
/// naming the item of each row. Items absent there have no vector.
/// </summary>
internal static class EmbeddingFile
{
    public const string Folder = "embeddings";

    public static string PathOf(string dataset, string name) => Path.Combine(dataset, Folder, name + ".npy");

    public static string IdsPathOf(string npy) => Path.ChangeExtension(npy, ".ids.txt");

    public static IReadOnlyList<string> Names(string dataset) => Directory.Exists(Path.Combine(dataset, Folder))
        ? [.. Directory.EnumerateFiles(Path.Combine(dataset, Folder), "*.npy")
            .Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)]
        : [];

    /// <param name="dropUnknown">Whether rows of items that are not there are left out instead of refused.</param>
    public static EmbeddingMatrix Read(
        string npy, string name, IReadOnlyDictionary<string, int> items, bool dropUnknown = false)
    {
        using var reader = NpyReader.Open(npy);
        if ((long)items.Count * reader.Dim > Array.MaxLength)
        {
            throw new CatalogException(
                Fault.ResourceExhausted,
                $"'{npy}': {items.Count} items × {reader.Dim} values; {Array.MaxLength} fit into one array. Reduce the dimension.");
        }

        var rows = RowItems(npy, reader.Rows, items, dropUnknown).Zip(reader.ReadRows());
        return EmbeddingMatrix.Of(name, reader.Dim, items.Count, rows.Where(row => row.First >= 0));
    }

    /// <summary>Checks rows, ids and every value without holding the matrix.</summary>
    /// <exception cref="CatalogException">Every fault, with row and column.</exception>
    public static void Validate(string npy, IReadOnlyDictionary<string, int> items, bool dropUnknown = false)
    {
        using var reader = NpyReader.Open(npy);
        _ = RowItems(npy, reader.Rows, items, dropUnknown);
        var faults = new Faults(npy);
        foreach (var (index, row) in reader.ReadRows().Index())
        {
            for (int column = 0; column < row.Length; column++)
            {
                if (!float.IsFinite(row.Span[column]))
                {
                    faults.Add(
                        $"row {index}, column {column} is {row.Span[column]}; allowed: finite numbers (leave the item out by an ids file "
                        + "instead)");
                }
            }
        }

        faults.ThrowIfAny();
    }

    /// <returns>[rows] index of each row's item; -1: it is not there, and is dropped.</returns>
    private static IEnumerable<int> RowItems(string npy, int rowCount, IReadOnlyDictionary<string, int> items, bool dropUnknown)
    {
        string idsPath = IdsPathOf(npy);
        if (!File.Exists(idsPath))
        {
            return rowCount == items.Count ? Enumerable.Range(0, rowCount) : throw CatalogException.Invalid(
                $"'{npy}' has {rowCount} rows; the dataset has {items.Count} items. Give every item a row in the order of the items file, "
                + $"or name the item of each row in '{Path.GetFileName(idsPath)}', one id a line.");
        }

        var faults = new Faults(idsPath);
        var rows = new List<int>(rowCount);
        var seen = new HashSet<int>();
        foreach (var (line, id) in TextFile.Lines(idsPath))
        {
            if (!items.TryGetValue(id, out int item))
            {
                item = -1;
                if (!dropUnknown)
                {
                    faults.AddLine(
                        idsPath, line, $"item '{id}' is not in the items file; add it there, or drop such rows with --drop-unknown");
                }
            }
            else if (!seen.Add(item))
            {
                faults.AddLine(idsPath, line, $"item '{id}' has a row before");
            }

            rows.Add(item);
        }

        if (rows.Count != rowCount)
        {
            faults.Add($"{rows.Count} ids, but the .npy has {rowCount} rows; allowed: as many ids as rows");
        }

        faults.ThrowIfAny();
        return rows;
    }

    /// <summary>
    /// Writes an embedding into a folder. The .npy goes first and comes last, so that an interruption leaves no embedding
    /// rather than one whose rows belong to other items.
    /// </summary>
    public static void Write(string folder, EmbeddingMatrix embedding, IReadOnlyList<string> itemIds)
    {
        string npy = Path.Combine(folder, embedding.Name + ".npy"), ids = IdsPathOf(npy);
        Directory.CreateDirectory(folder);
        File.Delete(npy);
        File.Delete(ids);
        int[] held = [.. Enumerable.Range(0, embedding.Count).Where(item => embedding.Present[item])];
        if (held.Length < embedding.Count)
        {
            WriteIds(npy, held.Select(item => itemIds[item]));
        }

        var rows = held.Select(item => (ReadOnlyMemory<float>)embedding.Data.AsMemory(item * embedding.Dim, embedding.Dim));
        try
        {
            Npy.Write(npy, rows, held.Length, embedding.Dim);
        }
        catch
        {
            File.Delete(ids); // a full disk leaves no ids for an .npy that the owner may put there
            throw;
        }
    }

    /// <summary>Names the item of each row of an .npy.</summary>
    public static void WriteIds(string npy, IEnumerable<string> itemIds) => AtomicFile.Write(IdsPathOf(npy), stream =>
    {
        using var writer = new StreamWriter(stream, new UTF8Encoding(false), 1 << 16, leaveOpen: true) { NewLine = "\n" };
        foreach (string id in itemIds)
        {
            writer.WriteLine(id);
        }
    });
}
