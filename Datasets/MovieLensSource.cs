using Recsys.Catalog;
using Recsys.Datasets.Tables;

namespace Recsys.Datasets;

/// <summary>
/// MovieLens 100k as GroupLens publishes it (Harper and Konstan 2015): u.data (user, item, rating, timestamp), u.item in
/// ISO-8859-1 with a flag a genre; posters from a folder whose items.tsv joins them by ml100k_item_id.
/// </summary>
internal static class MovieLensSource
{
    private const string JoinColumn = "ml100k_item_id";

    public static bool Recognises(string folder) =>
        File.Exists(Path.Combine(folder, "u.data")) && File.Exists(Path.Combine(folder, "u.item"));

    public static bool RecognisesPosters(string folder) => ItemFile.HasColumn(Path.Combine(folder, ItemFile.Tsv), JoinColumn);

    public static ImportSource Read(string folder, string? posters)
    {
        if (posters is not null && !RecognisesPosters(posters))
        {
            throw CatalogException.Invalid(
                $"'{posters}' is no folder of MovieLens posters: its {ItemFile.Tsv} has no column {JoinColumn}.");
        }

        string[] genres =
            [.. TextFile.Lines(Path.Combine(folder, "u.genre")).Select(line => line.Text.Split('|')[0]).Where(genre => genre.Length > 0)];
        string? images = posters is null ? null : FolderSource.LocateImages(posters)
            ?? throw CatalogException.NotFound($"'{posters}' has neither images.zip, images/ nor a single ZIP archive of posters.");
        return new ImportSource(posters is null ? "movielens-100k" : "movielens-100k with posters", new DatasetDescription(
            "movielens-100k",
            Licence: "GroupLens terms of use: research only, cite Harper and Konstan 2015, no redistribution, no commercial use",
            Source: "MovieLens 100k, GroupLens"))
        {
            Items = () => ItemRows.Read(_ => Movies(folder, genres, posters), default),
            Interactions = _ => TableSource.Bare(Path.Combine(folder, "u.data"), '\t', ["user", "item", "rating", "timestamp"]),
            Images = images,
            Notes = ["Every rating counts as one interaction, whatever its stars."],
        };
    }

    // MovieLens 100k lists 18 movies twice under two ids; the join names one of them, and the picture belongs to both.
    private static TableSource Movies(string folder, string[] genres, string? posters)
    {
        string[] flags = [.. genres.Select((_, genre) => $"genre{genre}")];
        var movies = TableSource.Bare(
            Path.Combine(folder, "u.item"), '|', ["id", "title", "release_date", "video_date", "address", .. flags], "latin-1");
        string of = string.Join(", ", flags.Zip(genres, (flag, genre) => $"CASE WHEN {flag} = '1' THEN {TableEngine.Text(genre)} END"));
        string images = "(NULL::VARCHAR, NULL::VARCHAR)";
        if (posters is not null)
        {
            images += string.Concat(ItemFile.Read(Path.Combine(posters, ItemFile.Tsv), default)
                .Where(movie => movie.Fields.ContainsKey(JoinColumn) && movie.Fields.GetValueOrDefault("has_poster") == "1")
                .Select(movie => $", ({TableEngine.Text(movie.Fields[JoinColumn])}, {TableEngine.Text(movie.Id + ".jpg")})"));
        }

        return movies with
        {
            Columns = TableSource.Texts(["item_id", "title", "genres", "release_date", "image"]),
            Relation = $"""
                (SELECT id AS item_id, title, concat_ws(' | ', {of}) AS genres, release_date,
                    coalesce(image, first_value(image IGNORE NULLS) OVER same_title) AS image
                FROM (SELECT row_number() OVER () AS n, * FROM {movies.Relation})
                LEFT JOIN (VALUES {images}) AS poster(id, image) USING (id)
                WINDOW same_title AS (PARTITION BY title ORDER BY n 
                    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
                ORDER BY n)
                """,
        };
    }
}
