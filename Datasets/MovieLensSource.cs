using System.Globalization;
using System.Text;
using Recsys.Catalog;

namespace Recsys.Datasets;

/// <summary>
/// MovieLens 100k as GroupLens publishes it (Harper and Konstan 2015): u.data (user, item, rating, timestamp), u.item in
/// ISO-8859-1 with a flag a genre; posters from a folder whose items.tsv joins them by ml100k_item_id.
/// </summary>
internal static class MovieLensSource
{
    private const int FirstGenre = 5;
    private const string JoinColumn = "ml100k_item_id";

    public static bool Recognises(string folder) =>
        File.Exists(Path.Combine(folder, "u.data")) && File.Exists(Path.Combine(folder, "u.item"));

    public static bool RecognisesPosters(string folder)
    {
        string items = Path.Combine(folder, ItemFile.Tsv);
        return File.Exists(items) && TextFile.Lines(items).FirstOrDefault().Text?.Split('\t').Contains(JoinColumn) == true;
    }

    public static ImportSource Read(string folder, string? posters)
    {
        var genres = Genres(folder);
        var posterOf = posters is null ? [] : WithDoubles(Posters(posters), Path.Combine(folder, "u.item"));
        string? images = posters is null ? null : FolderSource.LocateImages(posters)
            ?? throw CatalogException.NotFound($"'{posters}' has neither images.zip, images/ nor a single ZIP archive of posters.");
        return new ImportSource(posters is null ? "movielens-100k" : "movielens-100k with posters", new DatasetDescription(
            "movielens-100k",
            Licence: "GroupLens terms of use: research only, cite Harper and Konstan 2015, no redistribution, no commercial use",
            Source: "MovieLens 100k, GroupLens"))
        {
            Items = () => Movies(Path.Combine(folder, "u.item"), genres, posterOf),
            WriteInteractions = stream => WriteInteractions(Path.Combine(folder, "u.data"), stream),
            Images = images,
            Notes = ["Every rating counts as one interaction, whatever its stars; they are kept in the column rating, which nothing "
                + "reads. Users and items are not filtered."],
        };
    }

    private static List<string> Genres(string folder) =>
        [.. TextFile.Lines(Path.Combine(folder, "u.genre")).Select(line => line.Text.Split('|')[0]).Where(genre => genre.Length > 0)];

    private static IEnumerable<Item> Movies(string path, List<string> genres, Dictionary<string, string> posterOf)
    {
        var faults = new Faults(path);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (line, text) in TextFile.Lines(path, Encoding.Latin1))
        {
            if (text.Length == 0)
            {
                continue;
            }

            var cells = text.Split('|');
            if (cells.Length != FirstGenre + genres.Count)
            {
                faults.AddLine(
                    path, line,
                    $"{cells.Length} columns; allowed: {FirstGenre + genres.Count} (id, title, two dates, address, {genres.Count} "
                    + "genres of u.genre)");
                continue;
            }

            if (!seen.Add(cells[0]))
            {
                faults.AddLine(path, line, $"movie '{cells[0]}' appears a second time");
                continue;
            }

            var fields = new Dictionary<string, string>(StringComparer.Ordinal);
            string genre = string.Join(" | ", genres.Where((_, index) => cells[FirstGenre + index] == "1"));
            if (genre.Length > 0)
            {
                fields["genres"] = genre;
            }

            if (cells[2].Length > 0)
            {
                fields["release_date"] = cells[2];
            }

            yield return new Item(cells[0], cells[1], fields, posterOf.GetValueOrDefault(cells[0]));
        }

        faults.ThrowIfAny();
    }

    private static Dictionary<string, string> Posters(string folder)
    {
        if (!RecognisesPosters(folder))
        {
            throw CatalogException.Invalid($"'{folder}' is no folder of MovieLens posters: its {ItemFile.Tsv} has no column {JoinColumn}.");
        }

        var posterOf = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var movie in ItemFile.Read(Path.Combine(folder, ItemFile.Tsv), null))
        {
            if (movie.Fields.TryGetValue(JoinColumn, out string? item) && movie.Fields.GetValueOrDefault("has_poster") == "1")
            {
                posterOf[item] = $"{movie.Id}.jpg";
            }
        }

        return posterOf;
    }

    // MovieLens 100k lists 18 movies twice under two ids; the join names one of them, and the picture belongs to both.
    private static Dictionary<string, string> WithDoubles(Dictionary<string, string> posterOf, string path)
    {
        var movies = TextFile.Lines(path, Encoding.Latin1)
            .Select(line => line.Text.Split('|')).Where(cells => cells.Length > 1).Select(cells => (Id: cells[0], Title: cells[1]))
            .ToList();
        var byTitle = movies.Where(movie => posterOf.ContainsKey(movie.Id)).GroupBy(movie => movie.Title, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => posterOf[group.First().Id], StringComparer.Ordinal);
        return movies.Where(movie => byTitle.ContainsKey(movie.Title)).GroupBy(movie => movie.Id, StringComparer.Ordinal)
            .ToDictionary(
                group => group.Key, group => posterOf.GetValueOrDefault(group.Key, byTitle[group.First().Title]), StringComparer.Ordinal);
    }

    private static void WriteInteractions(string path, Stream stream)
    {
        var faults = new Faults(path);
        using var writer = new StreamWriter(stream, new UTF8Encoding(false), 1 << 16, leaveOpen: true) { NewLine = "\n" };
        writer.WriteLine("user,item,timestamp,rating");
        foreach (var (line, text) in TextFile.Lines(path))
        {
            var cells = text.Split('\t');
            if (cells.Length != 4 || !cells.All(cell => long.TryParse(cell, NumberStyles.None, CultureInfo.InvariantCulture, out _)))
            {
                faults.AddLine(path, line, $"'{text}'; allowed: user, item, rating and timestamp as numbers, parted by tabs");
                continue;
            }

            writer.WriteLine($"{cells[0]},{cells[1]},{cells[3]},{cells[2]}");
        }

        faults.ThrowIfAny();
    }
}
