using Recsys.Catalog;
using Recsys.Server.Serving;

namespace Recsys.Server.Tests;

/// <summary>LoadedVersion and VersionSnapshot: who holds what, and until when.</summary>
public sealed class SnapshotTests
{
    private readonly FakeFolders _folders = new() { Tables = { ["v1"] = Of("a", "b") } };

    [Fact]
    public void A_version_is_retained_until_its_last_reference_is_given_back_and_never_after()
    {
        var loaded = LoadedVersion.Load(_folders, "v1", [_folders]);
        Assert.True(loaded.TryRetain());
        loaded.Release();
        Assert.Equal(0, _folders.Parts[0].Disposed);
        loaded.Release();
        Assert.Equal(1, _folders.Parts[0].Disposed);
        Assert.False(loaded.TryRetain());
    }

    [Fact]
    public void Nothing_stays_loaded_of_a_version_with_a_damaged_part()
    {
        Assert.Throws<CatalogException>(() => LoadedVersion.Load(_folders, "v1", [_folders, new DamagedLoader()]));
        Assert.Equal(1, Assert.Single(_folders.Parts).Disposed);
    }

    [Fact]
    public void A_grown_snapshot_has_parts_of_its_own_and_the_version_outlives_both()
    {
        var first = new VersionSnapshot(LoadedVersion.Load(_folders, "v1", [_folders]));
        var second = first.With(first.Items.Append([Item("c", 0)]), []);
        var third = second.With(second.Items.Append([Item("d", 1)]), []);
        Assert.Equal([2, 3, 4], _folders.Parts.Select(part => part.Items.Count));
        Assert.Same(_folders.Parts[1], second.Find<FakePart>());
        Assert.Equal(("v1", 3), (second.Version, second.Items.Count));

        first.Release();
        Assert.Equal([0, 0, 0], Disposed());
        Assert.True(second.TryRetain()); // a request
        second.Release();
        Assert.Equal([0, 0, 0], Disposed());
        second.Release();
        Assert.Equal([0, 1, 0], Disposed());
        Assert.False(second.TryRetain());
        third.Release();
        Assert.Equal([1, 1, 1], Disposed());

        IEnumerable<int> Disposed() => _folders.Parts.Select(part => part.Disposed);
    }

    [Fact]
    public void A_part_that_does_not_look_at_items_is_shared_and_disposed_once()
    {
        var part = new FixedPart();
        var first = new VersionSnapshot(new LoadedVersion(_folders.Open("v1"), [part]));
        var second = first.With(first.Items.Append([Item("c", 0)]), []);
        second.Release();
        Assert.Equal(0, part.Disposed);
        first.Release();
        Assert.Equal(1, part.Disposed);
    }

    internal static ItemTable Of(params string[] ids) => new(
        ids, [.. ids.Select((_, i) => new SemanticId([0, 0], (ushort)i))], [.. ids.Select(_ => "")], [4, 4]);

    internal static AppendedItem Item(string id, int token) => new(id, new SemanticId([3, 3], (ushort)token), "");

    private sealed class DamagedLoader : Catalog.Ports.IVersionPartLoader
    {
        public string Name => "damaged";

        public Catalog.Ports.IVersionPart Load(Catalog.Ports.VersionFolder folder, ItemTable items) =>
            throw CatalogException.Damaged("damaged");
    }
}
