using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Store.Versions;

namespace Recsys.Store.Tests;

public sealed class AppendJournalTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly VersionStore _store;

    public AppendJournalTests()
    {
        _store = new VersionStore(_folder.Path);
        using var writer = _store.Begin("v1");
        writer.WriteItems(Tables.Random(3, 1));
        writer.Seal(new VersionDescription("tiny", 1, Tables.Sizes, 3, new Dictionary<string, double>()));
    }

    private string Journal => _folder["appended/v1.jsonl"];

    [Fact]
    public void Appended_items_are_read_in_order_and_each_once()
    {
        AppendedItem[] items = [Item(1), Item(2) with { Title = "tab\tbreak\nquote\"é" }, Item(3)];
        Assert.Empty(_store.Appended("v1"));
        _store.Append("v1", items[0]);
        _store.Append("v1", items[1..]);
        _store.Append("v1", items[0]);
        Assert.Equal(items, new VersionStore(_folder.Path).Appended("v1"));
    }

    [Fact]
    public void A_last_line_torn_at_any_byte_is_passed_over_and_cut_off_by_the_next_writer()
    {
        _store.Append("v1", [Item(1), Item(2)]);
        byte[] whole = File.ReadAllBytes(Journal);
        int lastLine = Array.LastIndexOf(whole, (byte)'\n', whole.Length - 2) + 1;
        for (int length = lastLine; length < whole.Length; length++)
        {
            File.WriteAllBytes(Journal, whole[..length]);
            Assert.Equal([Item(1)], _store.Appended("v1"));
            _store.Append("v1", Item(3));
            Assert.Equal([Item(1), Item(3)], _store.Appended("v1"));
        }
    }

    [Fact]
    public void A_last_line_of_garbage_is_passed_over_and_cut_off()
    {
        _store.Append("v1", Item(1));
        File.AppendAllText(Journal, "\0\0\0\0\n");
        Assert.Equal([Item(1)], _store.Appended("v1"));
        _store.Append("v1", Item(2));
        Assert.Equal([Item(1), Item(2)], _store.Appended("v1"));
    }

    [Fact]
    public void A_damaged_line_in_the_middle_is_reported_with_its_number()
    {
        _store.Append("v1", [Item(1), Item(2), Item(3)]);
        File.WriteAllText(Journal, File.ReadAllText(Journal).Replace("i2", "i\\u2", StringComparison.Ordinal));
        var error = Assert.Throws<CatalogException>(() => _store.Appended("v1"));
        Assert.Equal(Fault.DataLoss, error.Fault);
        Assert.Contains("line 2", error.Message);
    }

    [Theory]
    [InlineData("version.append.begin")]
    [InlineData("version.append.torn")]
    public void An_append_that_fails_midway_loses_no_item_before_or_after(string point)
    {
        _store.Append("v1", Item(1));
        using (FaultPoints.Arm(name =>
        {
            if (name == point)
            {
                throw new IOException("armed");
            }
        }))
        {
            Assert.Throws<IOException>(() => _store.Append("v1", Item(2)));
        }

        Assert.Equal([Item(1)], _store.Appended("v1"));
        _store.Append("v1", Item(2));
        Assert.Equal([Item(1), Item(2)], _store.Appended("v1"));
    }

    [Fact]
    public void An_append_that_failed_before_its_end_leaves_nothing_that_a_reader_takes_for_noted()
    {
        _store.Append("v1", Item(1));
        using (FaultPoints.Arm(name =>
        {
            if (name == "version.append.torn")
            {
                throw new IOException("armed");
            }
        }))
        {
            Assert.Throws<IOException>(() => _store.Append("v1", Item(2), Item(3), Item(4), Item(5)));
        }

        Assert.Equal([Item(1)], _store.Appended("v1"));
    }

    [Fact]
    public void Many_writers_at_once_lose_nothing()
    {
        Parallel.For(0, 200, item => new VersionStore(_folder.Path).Append("v1", Item(item)));
        Assert.Equal(Enumerable.Range(0, 200).Select(Item), _store.Appended("v1").OrderBy(item => item.SemanticId));
    }

    [Fact]
    public void Nothing_is_appended_to_a_version_that_is_not_there() =>
        Assert.Equal(Fault.NotFound, Assert.Throws<CatalogException>(() => _store.Append("v2", Item(1))).Fault);

    public void Dispose() => _folder.Dispose();

    private static AppendedItem Item(int number) => new($"i{number}", new SemanticId([1, 2, 3], (ushort)number), "");
}
