using Recsys.Catalog;

namespace Recsys.Datasets.Tables;

/// <summary>
/// Interactions as rows (user, item, time, n) of numbers, n their place in the source; beside it, what users and items are called.
/// All of it lies in the <see cref="TableEngine"/>, none in managed memory.
/// </summary>
internal sealed class InteractionTable
{
    private readonly TableEngine _engine;
    private readonly TableSource _source;

    private InteractionTable(TableEngine engine, TableSource source) => (_engine, _source) = (engine, source);

    /// <summary>Rows that were left out because no item has their id.</summary>
    public long UnknownDropped { get; private set; }

    public long Rows => _engine.Count("SELECT count(*) FROM interactions");

    public long Users => _engine.Count("SELECT count(DISTINCT user) FROM interactions");

    /// <summary>Ids in the order of the items file; without one, in the order of their first interaction.</summary>
    public IEnumerable<string> ItemIds =>
        _engine.Rows("SELECT item_id FROM items SEMI JOIN interactions USING (item) ORDER BY item", row => row.GetString(0));

    /// <summary>
    /// The largest time, where it is a moment: a date, or a number that is Unix time in seconds or a smaller unit by its size.
    /// </summary>
    public DateTimeOffset? Newest => _engine.Rows(
        "SELECT max(time)::DOUBLE FROM interactions", row => row.IsDBNull(0) ? 0 : row.GetDouble(0))
        .Single() switch
        {
            < 1e8 or > 2e18 => null, // before 1973 in seconds: a place in an order, no moment
            < 1e11 and var seconds => DateTimeOffset.UnixEpoch.AddSeconds(seconds),
            < 1e14 and var milliseconds => DateTimeOffset.UnixEpoch.AddMilliseconds(milliseconds),
            < 1e17 and var microseconds => DateTimeOffset.UnixEpoch.AddMicroseconds(microseconds),
            var nanoseconds => DateTimeOffset.UnixEpoch.AddMicroseconds(nanoseconds / 1000),
        };

    /// <param name="names">Columns that the user named, null where the usual names will do.</param>
    /// <param name="items">Ids of the items file in its order; null where the interactions name the items.</param>
    /// <param name="dropUnknown">Whether interactions with other items are dropped and counted instead of refused.</param>
    /// <exception cref="CatalogException">Every fault with its row, the first 20 in full.</exception>
    public static InteractionTable Load(
        TableEngine engine, TableSource source, (string? User, string? Item, string? Time) names, IEnumerable<string>? items,
        bool dropUnknown = false)
    {
        var table = new InteractionTable(engine, source);
        var (user, item, time) = (
            ColumnNames.Find(source, names.User, "--user-column", ColumnNames.User),
            ColumnNames.Find(source, names.Item, "--item-column", ColumnNames.Item),
            ColumnNames.Find(source, names.Time, "--time-column", ColumnNames.Time));
        if (user is null || item is null || time is null)
        {
            throw CatalogException.Invalid(
                $"'{source.Label}', line 1: the header is '{ColumnNames.List(source)}'; it must name the columns user, item and "
                + "timestamp, by a usual name or by --user-column, --item-column and --time-column.");
        }

        Timestamps.Define(engine);
        engine.Execute($"""
            CREATE TABLE source AS SELECT row_number() OVER () AS n, {Id(source, user)} AS user_id, {Id(source, item)} AS item_id,
                {Timestamps.Value(time, source.Label)} AS time FROM {source.Relation}
            """);
        if (items is null)
        {
            engine.Execute("""
                CREATE TABLE items AS SELECT item_id, (row_number() OVER (ORDER BY min(n)) - 1)::INTEGER AS item
                    FROM source GROUP BY item_id
                """);
        }
        else
        {
            engine.CreateNumbered("items", "item_id", "item", items);
        }

        string key = table.Check(time.IsText, dropUnknown);
        engine.Execute("""
            CREATE TABLE users AS SELECT user_id, (row_number() OVER (ORDER BY min(n)) - 1)::INTEGER AS user
                FROM source GROUP BY user_id
            """);
        engine.Execute($"""
            CREATE TABLE interactions AS SELECT user, item, {key} AS time, n FROM source JOIN users USING (user_id)
                JOIN items USING (item_id)
            """);
        table.UnknownDropped = engine.Count("SELECT count(*) FROM source") - table.Rows;
        engine.Execute("DROP TABLE source");
        return table;
    }

    /// <summary>Rows that say the same as another, time included, are there once.</summary>
    /// <returns>Rows that went.</returns>
    public long DropDuplicates() =>
        Keep("SELECT user, item, time, min(n) AS n FROM interactions GROUP BY user, item, time");

    /// <summary>
    /// The k-core: users and items with fewer than <paramref name="k"/> interactions go, until every one that is left has k. The
    /// items file keeps its items, which then have no interactions.
    /// </summary>
    /// <returns>Rows that went.</returns>
    public long KeepCore(int k)
    {
        long all = 0;
        for (long dropped = 1; dropped > 0; all += dropped)
        {
            dropped = Keep($"""
                SELECT * FROM interactions
                    SEMI JOIN (SELECT user FROM interactions GROUP BY user HAVING count(*) >= {k}) USING (user)
                    SEMI JOIN (SELECT item FROM interactions GROUP BY item HAVING count(*) >= {k}) USING (item)
                """);
        }

        return all;
    }

    /// <summary>Writes <c>interactions.csv</c>: users in order of their first interaction, each by time; ties as they came.</summary>
    public void WriteCsv(string path)
    {
        // An id with blanks around it is quoted, or it would read as padding.
        bool blanks = _engine.Count("SELECT count(*) FROM users WHERE user_id <> trim(user_id)")
            + _engine.Count("SELECT count(*) FROM items WHERE item_id <> trim(item_id)") > 0;
        _engine.Execute($"""
            COPY (SELECT user_id AS "user", item_id AS item, time AS timestamp FROM interactions JOIN users USING (user)
                JOIN items USING (item) ORDER BY interactions.user, time, n)
            TO {TableEngine.Text(path)} (FORMAT csv, HEADER{(blanks ? ", FORCE_QUOTE *" : "")})
            """);
    }

    /// <summary>All histories in managed memory; users in order of their first interaction.</summary>
    public SequenceSet ReadSequences()
    {
        string[] users = [.. _engine.Rows(
            "SELECT user_id FROM users SEMI JOIN interactions USING (user) ORDER BY user", row => row.GetString(0))];
        var (offsets, flat) = (new List<int>(users.Length + 1), new int[checked((int)Rows)]);
        int at = 0, last = -1;
        foreach (var (user, item) in _engine.Rows(
            "SELECT user, item FROM interactions ORDER BY user, time, n", row => (row.GetInt32(0), row.GetInt32(1))))
        {
            if (user != last)
            {
                offsets.Add(at);
                last = user;
            }

            flat[at++] = item;
        }

        return new SequenceSet(users, [.. offsets, at], flat);
    }

    private long Keep(string select)
    {
        long before = Rows;
        _engine.Execute($"CREATE OR REPLACE TABLE interactions AS {select}");
        return before - Rows;
    }

    // An id is a text or a whole number; 1.0 and "1" would be two items without a word.
    private static string Id(TableSource source, TableColumn column)
    {
        string text = $"{TableEngine.Name(column.Name)}::VARCHAR";
        return column.IsText || column.IsInteger || column.Type == "UUID" ? source.Padded ? $"trim({text}, e' \\t')" : text
            : throw CatalogException.Invalid(
                $"{source.Label}: column '{column.Name}' is of type {column.Type}; ids are texts or whole numbers. Cast it in a query, "
                + $"such as --interactions-sql \"SELECT {column.Name}::BIGINT AS {column.Name}, … FROM '{source.Label}'\".");
    }

    /// <returns>The time as an expression of one type.</returns>
    private string Check(bool text, bool dropUnknown)
    {
        var faults = new Faults(_source.Label);
        _source.AddRejected(_engine, faults);
        faults.ThrowIfAny(); // the numbers of the rows behind such a line are unknown
        string bad = text ? "kind(time) IS NULL" : "time IS NULL";
        var (real, number, date) = text
            ? _engine.Rows(
                "SELECT count(*) FILTER (kind = 1), count(*) FILTER (kind < 2), count(*) FILTER (kind = 2) "
                    + "FROM (SELECT kind(time) AS kind FROM source)",
                row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2))).Single()
            : (0, 0, 0);
        var tests = new List<string>
        {
            "SELECT n, 'the user is empty' AS fault FROM source WHERE coalesce(user_id, '') = ''",
            "SELECT n, 'the item is empty' FROM source WHERE coalesce(item_id, '') = ''",
            "SELECT n, format('id ''{}''; allowed: no tabs, no line breaks', id) FROM (SELECT n, unnest([user_id, item_id]) AS id "
                + "FROM source WHERE contains(concat(user_id, item_id), e'\\n') OR contains(concat(user_id, item_id), e'\\t') "
                + "OR contains(concat(user_id, item_id), e'\\r')) WHERE regexp_matches(id, '[\\t\\r\\n]')",
            $"SELECT n, format('timestamp ''{{}}''; {Timestamps.Allowed}', coalesce(time::VARCHAR, '')) FROM source WHERE {bad}",
        };
        if (!dropUnknown)
        {
            tests.Add("SELECT n, format('item ''{}'' is not in the items file; add it there, or drop such interactions with "
                + "--drop-unknown', item_id) FROM source ANTI JOIN items USING (item_id) WHERE item_id <> ''");
        }

        if (number > 0 && date > 0)
        {
            tests.Add("""
                SELECT n, format('timestamp ''{}'' is a {}, but the file began with a {}; one kind a file', time,
                    if(kind(time) = 2, 'date', 'number'), if(first = 2, 'date', 'number'))
                FROM source, (SELECT kind(time) AS first FROM source WHERE kind(time) IS NOT NULL ORDER BY n LIMIT 1)
                WHERE (kind(time) = 2) <> (first = 2)
                """);
        }

        var lines = new Lazy<bool>(() => _source.Lines is not null
            && File.ReadLines(_source.Lines).LongCount() == _engine.Count("SELECT count(*) FROM source") + _source.HeaderLines);
        _engine.AddFaults(faults, tests, row => $"{Path.GetFileName(_source.Label)}, "
            + (lines.Value ? $"line {row + _source.HeaderLines}" : $"row {row}"));
        CheckPadding(faults);
        faults.ThrowIfAny();
        return !text ? "time" : date > 0 ? "moment(time)" : real > 0 ? "time::DOUBLE" : "time::BIGINT";
    }

    // Blanks that stand in quotes belong to the id; others would make an item named " a" without a word.
    private void CheckPadding(Faults faults)
    {
        if (_source.Lines is null || _source.HeaderLines == 0 || _source.Padded
            || _engine.Count("SELECT count(*) FROM source WHERE user_id <> trim(user_id) OR item_id <> trim(item_id)") == 0)
        {
            return;
        }

        foreach (var (index, _) in File.ReadLines(_source.Lines).Index().Where(line => TableSource.HasLooseBlank(line.Item)))
        {
            faults.Add($"{Path.GetFileName(_source.Lines)}, line {index + 1}: a cell begins or ends with a blank; remove it, or quote "
                + "the cell where it belongs to the id");
        }
    }
}
