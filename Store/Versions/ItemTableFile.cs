using System.Text;
using Recsys.Catalog;
using Recsys.Catalog.Attributes;
using Recsys.Files;

namespace Recsys.Store.Versions;

/// <summary>A version's <c>items.tsv</c>: item_id, semantic_id, title and the items' attributes, in the order of the item
/// indexes.</summary>
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

        var attributes = items.Attributes;

        AtomicFile.Write(path, stream =>
        {
            using var writer = new StreamWriter(stream, new UTF8Encoding(false), 1 << 16, leaveOpen: true) { NewLine = "\n" };
            writer.WriteLine(string.Join('\t', attributes.Names.Select(OneLine).Prepend(Header)));
            for (int item = 0; item < items.Count; item++)
            {
                writer.Write($"{items.Ids[item]}\t{items.SemanticIds[item]}\t{OneLine(items.Titles[item])}");
                for (int column = 0; column < attributes.Names.Count; column++)
                {
                    writer.Write($"\t{OneLine(attributes.Value(item, column))}");
                }

                writer.WriteLine();
            }
        });
    }

    /// <exception cref="CatalogException">DataLoss with the line.</exception>
    public static ItemTable Read(string path, IReadOnlyList<int> codebookSizes)
    {
        var (ids, semanticIds, titles) = (new List<string>(), new List<SemanticId>(), new List<string>());
        string[] header = [];
        var rows = new List<IReadOnlyList<string>>();
        int line = 0;
        foreach (string text in File.ReadLines(path))
        {
            line++;
            if (line == 1)
            {
                header = text.Split('\t');
                if ($"{text}\t".StartsWith(Header + "\t", StringComparison.Ordinal) && header.Distinct().Count() == header.Length)
                {
                    continue;
                }

                throw CatalogException.Damaged(
                    $"'{path}', line 1: the header is '{text}'; it must begin with '{Header}' and name no column twice.");
            }

            var cells = text.Split('\t');
            if (cells.Length != header.Length || !SemanticId.TryParse(cells[1], out var id))
            {
                throw CatalogException.Damaged(
                    $"'{path}', line {line}: '{text}' is not a row of '{string.Join(' ', header)}', parted by tabs.");
            }

            ids.Add(cells[0]);
            semanticIds.Add(id);
            titles.Add(cells[2]);
            rows.Add(new ArraySegment<string>(cells)[3..]);
        }

        return new ItemTable(ids, semanticIds, titles, codebookSizes, new ItemAttributes(header.Length > 3 ? header[3..] : [], rows));
    }

    internal static string OneLine(string text) =>
        text.AsSpan().IndexOfAny('\t', '\n', '\r') < 0 ? text : text.Replace('\t', ' ').Replace('\n', ' ').Replace('\r', ' ');
}
