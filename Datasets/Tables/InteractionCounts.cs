using System.Globalization;

namespace Recsys.Datasets.Tables;

/// <summary>
/// What the training part of the leave-one-out split says, counted in SQL: of a user's items the last two, but never the first, are
/// held out (as <see cref="Recsys.Catalog.LeaveOneOut"/> does), so that nothing learns from what it is judged by.
/// </summary>
internal static class InteractionCounts
{
    public const string Folder = "counts", Popularity = "popularity.parquet", Pairs = "pairs.parquet";

    private const long BytesOfPair = 128; // of memory, while it is counted

    /// <summary>Writes both tables as Parquet into a folder.</summary>
    /// <param name="window">Largest distance of a pair within a history, in steps.</param>
    public static void Write(TableEngine engine, string folder, int window)
    {
        Directory.CreateDirectory(folder);
        string names = "JOIN items AS a ON counted.item = a.item";
        CreateTrain(engine);
        CreatePairs(engine, window, engine.Memory / BytesOfPair);
        Copy($"SELECT a.item_id, count FROM ({PopularityQuery}) AS counted {names} ORDER BY count DESC, counted.item", Popularity);
        Copy($"SELECT a.item_id, b.item_id AS next_id, count, weight FROM pairs AS counted {names} "
            + "JOIN items AS b ON counted.next = b.item", Pairs);
        engine.Execute("DROP TABLE pairs");

        void Copy(string query, string file) =>
            engine.Execute($"COPY ({query}) TO {TableEngine.Text(Path.Combine(folder, file))} (FORMAT parquet)");
    }

    /// <summary>The training part as a table: user, item, position (from 1), length of the whole history.</summary>
    public static void CreateTrain(TableEngine engine) => engine.Execute("""
        CREATE OR REPLACE TABLE train AS SELECT user, item, position FROM (
            SELECT user, item, row_number() OVER (PARTITION BY user ORDER BY time, n) AS position,
                count(*) OVER (PARTITION BY user) AS length FROM interactions)
        WHERE position <= greatest(1, length - 2)
        """);

    /// <summary>item, count: in how many interactions an item is.</summary>
    public const string PopularityQuery = "SELECT item, count(*) AS count FROM train GROUP BY item";

    /// <summary>Makes the table pairs: item, next, count, weight: how often next comes 1 to window steps behind item; weight sums
    /// 1 / distance. DuckDB fails when the groups of one count are several times its memory, so items are counted in shares.</summary>
    /// <param name="rows">About how many neighbours are counted at a time.</param>
    public static void CreatePairs(TableEngine engine, int window, long rows)
    {
        string leads = string.Join(", ", Enumerable.Range(1, window).Select(
            step => $"lead(item, {step.ToString(CultureInfo.InvariantCulture)}) OVER history"));
        engine.Execute($"""
            CREATE OR REPLACE TABLE steps AS SELECT item, next, step FROM (
                SELECT item, unnest([{leads}]) AS next, unnest(range(1, {window} + 1))::UTINYINT AS step
                FROM train WINDOW history AS (PARTITION BY user ORDER BY position))
            WHERE next IS NOT NULL
            """);
        engine.Execute("CREATE OR REPLACE TABLE pairs (item INTEGER, next INTEGER, count BIGINT, weight DOUBLE)");
        long shares = 1 + (engine.Count("SELECT count(*) FROM steps") / rows);
        for (long share = 0; share < shares; share++)
        {
            engine.Execute($"""
                INSERT INTO pairs SELECT item, next, count(*), sum(1.0::DOUBLE / step) FROM steps
                WHERE item % {shares} = {share} GROUP BY item, next
                """);
        }

        engine.Execute("DROP TABLE steps");
    }
}
