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
        string idsPath = IdsPathOf(npy);
        using var reader = NpyReader.Open(npy);
        if ((long)items.Count * reader.Dim > Array.MaxLength)
        {
            throw new CatalogException(
                Fault.ResourceExhausted,
                $"'{npy}': {items.Count} items × {reader.Dim} values; at most {Array.MaxLength} fit into one array. "
                + "Reduce the dimension or read it in chunks (NpyReader).");
        }

        if (!File.Exists(idsPath))
        {
            if (reader.Rows != items.Count)
            {
                throw WrongRows(npy, reader.Rows, items.Count);
            }

            var all = new float[(long)reader.Rows * reader.Dim];
            reader.ReadRows(0, all);
            return new EmbeddingMatrix(name, reader.Dim, all, Enumerable.Repeat(true, reader.Rows).ToArray());
        }

        var (data, present) = (new float[(long)items.Count * reader.Dim], new bool[items.Count]);
        var rows = RowItems(idsPath, reader.Rows, items, dropUnknown);
        foreach (var (first, chunk) in reader.Chunks())
        {
            for (int row = 0; row < chunk.Length / reader.Dim; row++)
            {
                if (rows[first + row] is not (>= 0 and var item))
                {
                    continue;
                }

                chunk.Span.Slice(row * reader.Dim, reader.Dim).CopyTo(data.AsSpan(item * reader.Dim));
                present[item] = true;
            }
        }

        return new EmbeddingMatrix(name, reader.Dim, data, present);
    }

    /// <summary>Checks rows, ids and every value without holding the matrix.</summary>
    /// <exception cref="CatalogException">Every fault, with row and column.</exception>
    public static void Validate(string npy, IReadOnlyDictionary<string, int> items, bool dropUnknown = false)
    {
        using var reader = NpyReader.Open(npy);
        if (File.Exists(IdsPathOf(npy)))
        {
            _ = RowItems(IdsPathOf(npy), reader.Rows, items, dropUnknown);
        }
        else if (reader.Rows != items.Count)
        {
            throw WrongRows(npy, reader.Rows, items.Count);
        }

        var faults = new Faults(npy);
        foreach (var (first, chunk) in reader.Chunks())
        {
            for (int at = 0; at < chunk.Length; at++)
            {
                if (!float.IsFinite(chunk.Span[at]))
                {
                    faults.Add(
                        $"row {first + (at / reader.Dim)}, column {at % reader.Dim} is {chunk.Span[at]}; "
                        + "allowed: finite numbers (leave the item out by an ids file instead)");
                }
            }
        }

        faults.ThrowIfAny();
    }

    private static CatalogException WrongRows(string npy, int rows, int items) => CatalogException.Invalid(
        $"'{npy}' has {rows} rows; the dataset has {items} items. Give every item a row in the order of the items file, "
        + $"or name the item of each row in '{Path.GetFileName(IdsPathOf(npy))}', one id a line.");

    private static int[] RowItems(string idsPath, int rowCount, IReadOnlyDictionary<string, int> items, bool dropUnknown)
    {
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
        return [.. rows];
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
        if (embedding.Present.All(present => present))
        {
            File.Delete(ids);
            Npy.Write(npy, embedding.Data, embedding.Dim);
            return;
        }

        var held = Enumerable.Range(0, embedding.Count).Where(item => embedding.Present[item]).ToArray();
        var data = new float[(long)held.Length * embedding.Dim];
        for (int row = 0; row < held.Length; row++)
        {
            embedding.Row(held[row]).CopyTo(data.AsSpan(row * embedding.Dim));
        }

        WriteIds(npy, held.Select(item => itemIds[item]));
        Npy.Write(npy, data, embedding.Dim);
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
