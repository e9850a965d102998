using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Recsys.Catalog;
using Recsys.Datasets.Tables;

namespace Recsys.Datasets.Tests;

/// <summary>What is computed in SQL, against the same computed by hand.</summary>
public sealed class InteractionTableTests
{
    private sealed record Row(string User, string Item, int Time);

    private static readonly Gen<Row> AnyRow =
        from user in Gen.Choose(0, 5)
        from item in Gen.Choose(0, 6)
        from time in Gen.Choose(0, 9)
        select new Row($"u{user}", $"i{item}", time);

    private static readonly Arbitrary<List<Row>> AnyRows = AnyRow.NonEmptyListOf().Select(rows => rows.ToList()).ToArbitrary();

    private static readonly Arbitrary<int> OneToFour = Gen.Choose(1, 4).ToArbitrary();

    [Property(MaxTest = 12)]
    public Property The_core_is_what_deleting_one_by_one_leaves() => Prop.ForAll(AnyRows, OneToFour, (rows, k) =>
    {
        var expected = rows.ToList();
        bool IsWeak(Row row) =>
            expected.Count(other => other.User == row.User) < k || expected.Count(other => other.Item == row.Item) < k;
        while (expected.Find(IsWeak) is { } weak)
        {
            expected.Remove(weak);
        }

        return Loaded(rows, (_, table) =>
        {
            long dropped = table.KeepCore(k);
            return dropped == rows.Count - expected.Count && Same(Histories(table), Expected(expected));
        });
    });

    [Property(MaxTest = 12)]
    public Property Dropping_duplicates_keeps_the_first_of_each() => Prop.ForAll(AnyRows, rows => Loaded(rows, (_, table) =>
    {
        table.DropDuplicates();
        return Same(Histories(table), Expected(rows.Distinct()));
    }));

    [Property(MaxTest = 12)]
    public Property Counts_are_those_of_the_training_part_of_the_split() => Prop.ForAll(
        AnyRows, OneToFour, (rows, window) => Loaded(rows, (engine, table) =>
    {
        var split = new LeaveOneOut(table.ReadSequences()).Train;
        var popularity = new Dictionary<int, long>();
        var pairs = new Dictionary<(int, int), (long Count, double Weight)>();
        for (int user = 0; user < split.Count; user++)
        {
            int[] items = split[user].ToArray();
            for (int at = 0; at < items.Length; at++)
            {
                popularity[items[at]] = popularity.GetValueOrDefault(items[at]) + 1;
                for (int step = 1; step <= window && at + step < items.Length; step++)
                {
                    var before = pairs.GetValueOrDefault((items[at], items[at + step]));
                    pairs[(items[at], items[at + step])] = (before.Count + 1, before.Weight + (1.0 / step));
                }
            }
        }

        InteractionCounts.CreateTrain(engine);
        InteractionCounts.CreatePairs(engine, window, rows: 1 + (rows.Count % 7)); // counted in several shares, or all at once
        var counted = engine.Rows(InteractionCounts.PopularityQuery, row => (row.GetInt32(0), row.GetInt64(1))).ToDictionary();
        var found = engine.Rows(
            "FROM pairs", row => (Pair: (row.GetInt32(0), row.GetInt32(1)), Count: row.GetInt64(2), Weight: row.GetDouble(3))).ToList();
        return counted.OrderBy(pair => pair.Key).SequenceEqual(popularity.OrderBy(pair => pair.Key))
            && found.Count == pairs.Count
            && found.All(pair => pairs[pair.Pair].Count == pair.Count && Math.Abs(pairs[pair.Pair].Weight - pair.Weight) < 1e-9);
    }));

    [Fact]
    public void Counts_are_written_as_tables_with_the_items_ids()
    {
        using var folder = new TemporaryFolder().With(
            "e.csv", "user,item,timestamp\nu,a,1\nu,b,2\nu,c,3\nu,d,4\nv,b,1\nv,a,2\nv,c,3\nv,d,4\n");
        DatasetImporter.Import(new ImportOptions([], folder["out"]) { Interactions = folder["e.csv"], PairWindow = 2 });
        using var engine = new TableEngine();
        Assert.Equal(
            ["a 2", "b 2"],
            engine.Rows($"SELECT * FROM '{folder["out/counts/popularity.parquet"]}'", row => $"{row.GetString(0)} {row.GetInt64(1)}"));
        Assert.Equal(
            ["a b 1 1", "b a 1 1"],
            engine.Rows(
                $"SELECT * FROM '{folder["out/counts/pairs.parquet"]}' ORDER BY ALL",
                row => $"{row.GetString(0)} {row.GetString(1)} {row.GetInt64(2)} {row.GetDouble(3)}"));
    }

    [Fact]
    public void A_core_of_sequences_keeps_their_order_and_the_items_file_its_items()
    {
        using var folder = new TemporaryFolder().With("s.txt", "u a b c\nv\tb  a\nw z\n").With("i.tsv", "id\nz\na\nb\nc\n");
        var report = DatasetImporter.Import(
            new ImportOptions([], folder["out"]) { Sequences = folder["s.txt"], Items = folder["i.tsv"], KCore = 2 });
        using var dataset = Dataset.Open(folder["out"]);
        Assert.Equal((4, 2, 4L), (report.Items, report.Users, report.Interactions));
        Assert.Equal(["z", "a", "b", "c"], dataset.ItemIds);
        Assert.Equal([1, 2], dataset.Sequences[0].ToArray());
        Assert.Equal([2, 1], dataset.Sequences[1].ToArray());
        Assert.Contains("2 interactions outside the 2-core were dropped", dataset.Description.Note);
    }

    [Fact]
    public void A_core_that_leaves_nothing_is_refused()
    {
        using var folder = new TemporaryFolder().With("s.txt", "u a b c\n");
        var options = new ImportOptions([], folder["out"]) { Sequences = folder["s.txt"], KCore = 2 };
        Assert.Contains("no interactions are left", Assert.Throws<CatalogException>(() => DatasetImporter.Import(options)).Message);
    }

    /// <summary>A million rows with 80 MiB: the sort and the counts do not fit, so they go through the disk, and lose nothing.</summary>
    [Fact]
    public async Task Interactions_that_exceed_the_memory_limit_are_imported_through_the_disk()
    {
        const int Rows = 1_000_000, Users = 50_000, Items = 2_000;
        using var folder = new TemporaryFolder();
        using (var engine = new TableEngine())
        {
            engine.Execute($"""
                COPY (SELECT 'user-' || (hash(i) % {Users}) AS user_id, 'item-' || (hash(i + 7) % {Items}) AS item_id, {Rows} - i AS ts
                    FROM range({Rows}) AS t(i)) TO '{folder["e.parquet"]}' (FORMAT parquet)
                """);
        }

        // DuckDB makes the folder when it first spills. The import's own engine cannot be asked, and nothing of it is left afterwards.
        var spilled = new TaskCompletionSource();
        using var watcher = new FileSystemWatcher(folder.Path) { IncludeSubdirectories = true, EnableRaisingEvents = true };
        watcher.Created += (_, made) =>
        {
            if (made.FullPath.EndsWith("/spill", StringComparison.Ordinal) || made.FullPath.Contains("/spill/", StringComparison.Ordinal))
            {
                spilled.TrySetResult();
            }
        };
        var report = DatasetImporter.Import(
            new ImportOptions([], folder["out"]) { Interactions = folder["e.parquet"], PairWindow = 3, MemoryLimit = 80L << 20 });
        Assert.Equal((Users, Items, (long)Rows), (report.Users, report.Items, report.Interactions));
        await spilled.Task.WaitAsync(TimeSpan.FromSeconds(30)); // the notice comes in its own time
        using var check = new TableEngine();
        string interactions = $"read_csv('{folder["out/interactions.csv"]}')";
        Assert.Equal(0, check.Count($"SELECT count(*) FROM (FROM {interactions} EXCEPT ALL FROM '{folder["e.parquet"]}')"));
        Assert.Equal(0, check.Count($"""
            SELECT count(*) FROM (
                SELECT timestamp < lag(timestamp) OVER (PARTITION BY "user" ORDER BY n) AS wrong
                FROM (SELECT *, row_number() OVER () AS n FROM {interactions})) WHERE wrong
            """));
        Assert.Equal(Rows - (2 * Users), check.Count($"SELECT sum(count)::BIGINT FROM '{folder["out/counts/popularity.parquet"]}'"));
        Assert.Equal(
            (3 * (Rows - (2 * Users))) - (6 * Users), // each history of n items has 3 n - 6 neighbours within 3 steps
            check.Count($"SELECT sum(count)::BIGINT FROM '{folder["out/counts/pairs.parquet"]}'"));
        Assert.DoesNotContain(Directory.EnumerateDirectories(folder["out"]), made => made.Contains(".tables", StringComparison.Ordinal));
    }

    [Fact]
    public void A_memory_limit_that_nothing_fits_is_refused_and_named()
    {
        using var folder = new TemporaryFolder().With("e.csv", "user,item,timestamp\nu,a,1\n");
        var options = new ImportOptions([], folder["out"]) { Interactions = folder["e.csv"], MemoryLimit = 1 << 20 };
        Assert.Contains("at least 67108864 (64 MiB)", Assert.Throws<CatalogException>(() => DatasetImporter.Import(options)).Message);
    }

    private static bool Loaded(List<Row> rows, Func<TableEngine, InteractionTable, bool> test)
    {
        using var folder = new TemporaryFolder().With(
            "e.csv", "user,item,timestamp\n" + string.Concat(rows.Select(row => $"{row.User},{row.Item},{row.Time}\n")));
        using var engine = new TableEngine();
        var source = TableSource.Open(engine, folder["e.csv"]);
        return test(engine, InteractionTable.Load(engine, source, default, Enumerable.Range(0, 7).Select(item => $"i{item}")));
    }

    private static Dictionary<string, string> Histories(InteractionTable table)
    {
        var sequences = table.ReadSequences();
        return Enumerable.Range(0, sequences.Count).ToDictionary(
            user => sequences.Users[user], user => string.Join(' ', sequences[user].ToArray().Select(item => $"i{item}")));
    }

    private static Dictionary<string, string> Expected(IEnumerable<Row> rows) => rows.GroupBy(row => row.User)
        .ToDictionary(user => user.Key, user => string.Join(' ', user.OrderBy(row => row.Time).Select(row => row.Item)));

    private static bool Same(Dictionary<string, string> one, Dictionary<string, string> other) =>
        one.OrderBy(pair => pair.Key).SequenceEqual(other.OrderBy(pair => pair.Key));
}
