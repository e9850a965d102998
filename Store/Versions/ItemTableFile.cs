using System.Text;
using Recsys.Catalog;
using Recsys.Files;

namespace Recsys.Store.Versions;

/// <summary>A version's <c>items.tsv</c>: item_id, semantic_id, title, in the order of the item indexes.</summary>
internal static class ItemTableFile
{
    public const string Name = "items.tsv";
    private const string Header = "item_id\tsemantic_id\ttitle";

    /// <exception cref="CatalogException">An item id with a tab or line break.</exception>
    public static void Write(string path, ItemTable items)
    {
        foreach (string id in items.Ids)
        {
            ItemIds.Check(id);
        }

        AtomicFile.Write(path, stream =>
        {
            using var writer = new StreamWriter(stream, new UTF8Encoding(false), 1 << 16, leaveOpen: true) { NewLine = "\n" };
            writer.WriteLine(Header);
            for (int item = 0; item < items.Count; item++)
            {
                writer.WriteLine($"{items.Ids[item]}\t{items.SemanticIds[item]}\t{OneLine(items.Titles[item])}");
            }
        });
    }

    /// <exception cref="CatalogException">DataLoss with the line.</exception>
    public static ItemTable Read(string path, IReadOnlyList<int> codebookSizes)
    {
        var (ids, semanticIds, titles) = (new List<string>(), new List<SemanticId>(), new List<string>());
        int line = 0;
        foreach (string text in File.ReadLines(path))
        {
            line++;
            if (line == 1)
            {
                if (text != Header)
                {
                    throw CatalogException.Damaged($"'{path}', line 1: the header is '{text}'; it must be '{Header}'.");
                }

                continue;
            }

            var cells = text.Split('\t');
            if (cells.Length != 3 || !SemanticId.TryParse(cells[1], out var id))
            {
                throw CatalogException.Damaged($"'{path}', line {line}: '{text}' is not item id, semantic ID and title, parted by tabs.");
            }

            ids.Add(cells[0]);
            semanticIds.Add(id);
            titles.Add(cells[2]);
        }

        return new ItemTable(ids, semanticIds, titles, codebookSizes);
    }

    internal static string OneLine(string text) =>
        text.AsSpan().IndexOfAny('\t', '\n', '\r') < 0 ? text : text.Replace('\t', ' ').Replace('\n', ' ').Replace('\r', ' ');
}
