using Recsys.Catalog;

namespace Recsys.Datasets.Tests;

public sealed class EventFileTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Events_come_behind_the_histories_by_time_each_once_and_new_users_behind_the_others()
    {
        Make("sequences.txt", "u a b\nv c\n");
        Assert.Equal(4, EventFile.Write(
            _folder.Path, [Event("w", "a", 3), Event("u", "c", 2), Event("u", "a", 1), Event("u", "c", 2), Event("u", "z", 4)],
            Start.AddDays(9)));
        using var dataset = Dataset.Open(_folder.Path);
        Assert.Equal("u: a b a c; v: c; w: a", Said(dataset));
        Assert.Equal(1, dataset.UnknownDropped);
        Assert.Equal(Start.AddDays(9), dataset.EventsUntil);
    }

    [Theory]
    [InlineData("2026-11-02T00:00:00Z", false)]
    [InlineData("1793577600", false)] // seconds
    [InlineData("1793577600000", false)]
    [InlineData("1793577600000000", false)]
    [InlineData("1793577600000000000", false)]
    [InlineData("17", true)] // a place in an order
    public void Those_up_to_the_newest_interaction_of_the_file_are_in_it_already(string time, bool all)
    {
        Make("interactions.csv", $"user,item,timestamp\nu,a,{time}\n");
        EventFile.Write(_folder.Path, [Event("u", "b", 24 * 60), Event("u", "c", (24 * 60) + 1)], Start);
        using var dataset = Dataset.Open(_folder.Path);
        Assert.Equal(all ? "u: a b c" : "u: a c", Said(dataset));
    }

    [Fact]
    public void Without_an_items_file_events_name_items_too_and_without_histories_they_are_all()
    {
        Make("sequences.txt", "u a\n");
        File.Delete(_folder["items.tsv"]);
        EventFile.Write(_folder.Path, [Event("u", "new", 1)], Start);
        using (var dataset = Dataset.Open(_folder.Path))
        {
            Assert.Equal("u: a new", Said(dataset));
        }

        Make("sequences.txt", "");
        File.Delete(_folder["sequences.txt"]);
        using var none = Dataset.Open(_folder.Path);
        Assert.True(none.HasSequences);
        Assert.Equal("", Said(none));
    }

    [Fact]
    public void The_file_counts_in_the_datasets_hash_goes_with_its_last_event_and_is_refused_where_it_is_damaged()
    {
        Make("sequences.txt", "u a\n");
        string before = Hash();
        EventFile.Write(_folder.Path, [Event("u", "b", 1)], Start);
        Assert.NotEqual(before, Hash());
        File.AppendAllText(_folder[EventFile.Name], "{\"user\":\"u\"}\n");
        using (var damaged = Dataset.Open(_folder.Path))
        {
            Assert.Contains("line 3", Assert.Throws<CatalogException>(() => damaged.Sequences).Message, StringComparison.Ordinal);
        }

        EventFile.Write(_folder.Path, [], Start);
        using (var none = Dataset.Open(_folder.Path))
        {
            Assert.Equal((Start, "u: a"), (none.EventsUntil, Said(none)));
        }

        File.Delete(_folder[EventFile.Name]);
        Assert.Equal(before, Hash());

        string Hash()
        {
            using var dataset = Dataset.Open(_folder.Path);
            return dataset.Sha256;
        }
    }

    private void Make(string file, string content)
    {
        File.WriteAllText(_folder["dataset.json"], """{ "name": "tiny", "format": 1 }""");
        File.WriteAllText(_folder["items.tsv"], "item_id\ttitle\na\t\nb\t\nc\t\n");
        File.WriteAllText(_folder[file], content);
    }

    private static Interaction Event(string user, string item, int minute) => new(user, item, Start.AddMinutes(minute), Start.AddDays(9));

    private static string Said(Dataset dataset) => string.Join("; ", dataset.Sequences.Users.Select((user, index) =>
        $"{user}: {string.Join(" ", dataset.Sequences[index].ToArray().Select(item => dataset.ItemIds[item]))}"));
}
