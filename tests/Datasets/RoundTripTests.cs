using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Recsys.Catalog;

namespace Recsys.Datasets.Tests;

/// <summary>What is written in any of the formats is read back, whatever its texts are.</summary>
public sealed class RoundTripTests
{
    // Texts without tabs and line breaks, with quotes, commas, markup, accents and other scripts.
    private static readonly Gen<string> Text = Gen.ListOf(
        Gen.Elements("a", "Z", "0", " ", ",", "\"", "'", "&amp;", "é", "日本", "😀", "\\", "#", "|", "=")).Select(string.Concat);

    private static readonly Gen<List<string>> AnyUsers =
        from users in Text.Where(text => text.Length > 0).NonEmptyListOf()
        select users.ToList();

    private static readonly Gen<Item> AnyItem =
        from title in Text
        from brand in Text
        from category in Text
        let fields = new Dictionary<string, string> { ["brand"] = brand, ["category"] = category }
        select new Item("", title, fields.Where(field => field.Value.Length > 0).ToDictionary(), null);

    [Property(MaxTest = 100)]
    public Property Items_survive_the_table_format() => Prop.ForAll(AnyItem.ListOf().ToArbitrary(), drawn =>
    {
        var items = drawn.Select((item, index) => item with { Id = $"i {index}" }).ToList();
        using var folder = new TemporaryFolder();
        using (var stream = File.Create(folder["items.tsv"]))
        {
            ItemFile.WriteTsv(stream, () => items);
        }

        return ItemFile.Read(folder["items.tsv"], default).Select(Show).SequenceEqual(items.Select(Show));
    });

    [Property(MaxTest = 100)]
    public Property Interactions_survive_any_legal_quoting() => Prop.ForAll(AnyUsers.ToArbitrary(), users =>
    {
        string rows = string.Concat(users.Select((user, row) => $"i,{row},\"{user.Replace("\"", "\"\"")}\"\n"));
        using var folder = new TemporaryFolder().With("interactions.csv", "item,timestamp,user\n" + rows);
        var read = SequenceFile.Read(folder["interactions.csv"], [], UnknownItems.Added).Sequences;
        return read.Users.SequenceEqual(users.Distinct()) && read.Items.Length == users.Count;
    });

    [Property(MaxTest = 100)]
    public Property Histories_survive_the_text_format() => Prop.ForAll(Gen.Choose(0, 30).ListOf().ListOf().ToArbitrary(), drawn =>
    {
        var ids = Enumerable.Range(0, 31).Select(item => $"é{item}").ToArray();
        int[] offsets = [0, .. drawn.Select((_, user) => drawn.Take(user + 1).Sum(items => items.Count))];
        var written = new SequenceSet([.. drawn.Select((_, user) => $"u{user}")], offsets, [.. drawn.SelectMany(items => items)]);
        using var folder = new TemporaryFolder();
        using (var stream = File.Create(folder["sequences.txt"]))
        {
            SequenceFile.WriteText(stream, written, ids);
        }

        var indexes = ids.Index().Select(id => KeyValuePair.Create(id.Item, id.Index));
        var read = SequenceFile.Read(folder["sequences.txt"], new(indexes), UnknownItems.Refused).Sequences;
        return read.Users.SequenceEqual(written.Users) && read.Offsets.SequenceEqual(written.Offsets)
            && read.Items.SequenceEqual(written.Items);
    });

    [Property(MaxTest = 60)]
    public Property A_description_survives_its_file() => Prop.ForAll(Text.ToArbitrary(), Text.ToArbitrary(), (licence, note) =>
    {
        using var folder = new TemporaryFolder();
        var written = new DatasetDescription("x-1.y_z", licence.Length % 2 == 0, null, licence, null, note);
        written.Write(folder.Path);
        return DatasetDescription.Read(folder.Path) == written;
    });

    private static string Show(Item item)
    {
        var fields = item.Fields.OrderBy(field => field.Key).Select(field => $"{field.Key}\t{field.Value}");
        return $"{item.Id}\t{item.Title}\t{string.Join('\t', fields)}";
    }
}
