namespace Recsys.Datasets.Tests;

/// <summary>Queries over files.</summary>
public sealed class SqlImportTests : TableImport
{
    [Fact]
    public void A_query_over_files_gives_interactions_and_items()
    {
        Write("day1.parquet", "SELECT 'u' AS user_id, 'b' AS item_id, 2 AS ts");
        Write("day2.parquet", "SELECT 'u' AS user_id, 'a' AS item_id, 1 AS ts UNION ALL SELECT 'u', 'c', 3");
        Folder.With("names.csv", "sku,name\na,A\nb,\"B, large\"\n");
        using var dataset = Import(Options with
        {
            InteractionsSql = $"SELECT * FROM '{Folder["day*.parquet"]}' WHERE item_id <> 'c' -- not this one",
            ItemsSql = $"SELECT sku AS item_id, name AS title FROM '{Folder["names.csv"]}' ORDER BY sku DESC;",
        });
        Assert.Equal(["b", "a"], dataset.ItemIds);
        Assert.Equal("B, large", dataset.Items[0].Title);
        Assert.Equal(["u: a b"], Histories(dataset));
    }

    [Theory]
    [InlineData("SELECT 1; DROP TABLE x", "syntax error")]
    [InlineData("SELECT * FROM 'http://127.0.0.1:1/x.parquet'", "httpfs")]
    [InlineData("SELECT * FROM 'absent.parquet'", "No files found")]
    [InlineData("COPY (SELECT 1) TO 'x'", "syntax error")]
    public void A_query_that_is_no_query_over_local_files_is_refused(string sql, string fault) =>
        Assert.Contains(fault, Refusal(Options with { InteractionsSql = sql }));
}
