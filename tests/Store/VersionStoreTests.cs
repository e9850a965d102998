using Recsys.Catalog;
using Recsys.Catalog.Attributes;
using Recsys.Catalog.Ports;
using Recsys.Store.Versions;

namespace Recsys.Store.Tests;

public sealed class VersionStoreTests : IDisposable
{
    private static readonly ItemTable Items = Tables.Random(15, 1);
    private static readonly VersionDescription Description = new(
        "tiny", 7, Tables.Sizes, 15, new Dictionary<string, double> { ["recall@10"] = 0.0625 });

    private readonly TemporaryFolder _folder = new();
    private readonly VersionStore _store;

    public VersionStoreTests() => _store = new VersionStore(_folder["versions"]);

    [Fact]
    public void A_sealed_version_is_opened_as_it_was_written()
    {
        Write("v1");
        var opened = new VersionStore(_store.Root).Open("v1");
        Assert.Equal(Items.Ids, opened.Items.Ids);
        Assert.Equal(Items.SemanticIds, opened.Items.SemanticIds);
        Assert.Equal(Items.Titles, opened.Items.Titles);
        Assert.Equal("model", File.ReadAllText(opened.PathOf("retrieval/model.safetensors")));
        Assert.True(opened.Has("codebook/codebook.json"));
        Assert.Equal(0.0625, opened.Manifest.Description.Metrics["recall@10"]);
        Assert.Equal(["v1"], Directory.GetDirectories(_store.Root).Select(Path.GetFileName));
    }

    [Fact]
    public void Attributes_are_read_as_they_were_written_on_one_line()
    {
        var attributes = new ItemAttributes(["a", "ž"], Enumerable.Range(0, Items.Count).Select(
            item => new[] { item % 2 == 0 ? "" : $"x|{item}", item == 3 ? "two\tcells\nand lines" : "same" }));
        using (var writer = Begin("v1"))
        {
            writer.WriteItems(new ItemTable(Items.Ids, Items.SemanticIds, Items.Titles, Items.CodebookSizes, attributes));
            writer.Seal(Description);
        }

        var read = _store.Open("v1").Items.Attributes;
        Assert.Equal(["a", "ž"], read.Names);
        Assert.Equal(
            Enumerable.Range(0, Items.Count).Select(item => (item % 2 == 0 ? "" : $"x|{item}", item == 3 ? "two cells and lines" : "same")),
            Enumerable.Range(0, Items.Count).Select(item => (read.Value(item, 0), read.Value(item, 1))));
    }

    [Fact]
    public void Versions_are_listed_oldest_first()
    {
        Write("b");
        Write("a");
        Write("c");
        Assert.Equal(["b", "a", "c"], _store.List().Select(manifest => manifest.Version));
    }

    [Fact]
    public void A_removed_version_is_gone_with_its_journal()
    {
        Write("v1");
        _store.Append("v1", new AppendedItem("new", new SemanticId([1, 2, 3]), ""));
        _store.Remove("v1");
        Assert.Empty(_store.List());
        Assert.Equal([".lock", "appended"], Directory.GetFileSystemEntries(_store.Root).Select(Path.GetFileName).Order());
        Assert.False(File.Exists(Path.Combine(_store.Root, "appended", "v1.jsonl")));
        Assert.Equal(Fault.NotFound, Assert.Throws<CatalogException>(() => _store.Remove("v1")).Fault);
    }

    [Fact]
    public void A_folder_keeps_its_deployment_id_and_no_other_has_it()
    {
        Write("v1");
        string id = _store.DeploymentId;
        Assert.Equal(32, id.Length);
        Assert.Equal(id, new VersionStore(_store.Root).DeploymentId);
        Assert.NotEqual(id, new VersionStore(_folder["other"]).DeploymentId);
        Assert.Throws<CatalogException>(() => _store.Has("deployment"));
        Assert.Equal((true, false), (_store.Has("v1"), _store.Has("v2")));
    }

    [Fact]
    public void Every_flipped_byte_of_every_file_is_found_and_the_file_is_named()
    {
        Write("v1");
        foreach (string path in Directory.GetFiles(Path.Combine(_store.Root, "v1"), "*", SearchOption.AllDirectories))
        {
            byte[] whole = File.ReadAllBytes(path);
            for (int at = 0; at < whole.Length; at++)
            {
                byte[] damaged = [.. whole];
                damaged[at] ^= (byte)(1 << (at % 8));
                File.WriteAllBytes(path, damaged);
                AssertDamaged(Path.GetFileName(path));
            }

            File.WriteAllBytes(path, whole);
        }

        Assert.Equal("v1", _store.Open("v1").Version);
    }

    [Fact]
    public void Every_truncated_missing_or_longer_file_is_found_and_the_file_is_named()
    {
        Write("v1");
        foreach (string path in Directory.GetFiles(Path.Combine(_store.Root, "v1"), "*", SearchOption.AllDirectories))
        {
            byte[] whole = File.ReadAllBytes(path);
            for (int length = 0; length < whole.Length; length++)
            {
                File.WriteAllBytes(path, whole[..length]);
                AssertDamaged(Path.GetFileName(path));
                Assert.Empty(_store.List());
            }

            File.WriteAllBytes(path, [.. whole, 0]);
            AssertDamaged(Path.GetFileName(path));
            File.Delete(path);
            AssertDamaged(Path.GetFileName(path));
            File.WriteAllBytes(path, whole);
        }

        Assert.Single(_store.List());
    }

    [Theory]
    [InlineData("version.seal.begin", 1)]
    [InlineData("version.seal.file", 1)]
    [InlineData("version.seal.file", 3)]
    [InlineData("version.seal.synced", 1)]
    [InlineData("version.seal.manifest", 1)]
    public void A_seal_that_fails_at_any_step_leaves_no_version_and_a_repeated_one_succeeds(string point, int times)
    {
        int passed = 0;
        using (FaultPoints.Arm(name => Fail(name == point && ++passed == times)))
        {
            Assert.Throws<IOException>(() => Write("v1"));
        }

        Assert.Empty(_store.List());
        Assert.Equal(Fault.NotFound, Assert.Throws<CatalogException>(() => _store.Open("v1")).Fault);
        Assert.Empty(Directory.GetDirectories(_store.Root));
        Write("v1");
        Assert.Single(_store.List());
    }

    [Theory]
    [InlineData("version.seal.begin")]
    [InlineData("version.seal.file")]
    [InlineData("version.seal.synced")]
    [InlineData("version.seal.manifest")]
    public void A_writer_that_was_killed_leaves_no_version_and_the_next_removes_its_leftovers(string point)
    {
        // As kill -9 does it: nothing is disposed in order, only the kernel frees the lock. Hence the lock alone is closed here.
        var writer = Begin("v1");
        using (FaultPoints.Arm(name => Fail(name == point)))
        {
            Assert.Throws<IOException>(() => writer.Seal(Description));
        }

        string staging = Path.Combine(_store.Root, ".staging-v1"), kept = _folder["kept"];
        Directory.Move(staging, kept);
        writer.Dispose();
        Directory.Move(kept, staging);

        Assert.Empty(_store.List());
        Write("v2");
        Assert.False(Directory.Exists(staging));
        Write("v1");
        Assert.Equal(["v2", "v1"], _store.List().Select(manifest => manifest.Version));
    }

    [Fact]
    public void A_seal_that_is_killed_after_its_rename_has_made_its_version()
    {
        using (FaultPoints.Arm(name => Fail(name == "version.seal.renamed")))
        {
            Assert.Throws<IOException>(() => Write("v1"));
        }

        Assert.Equal("v1", _store.Open("v1").Version);
        Assert.Single(_store.List());
    }

    [Fact]
    public void Two_writers_of_one_version_do_not_meet()
    {
        using var first = Begin("v1");
        Assert.Equal(Fault.FailedPrecondition, Assert.Throws<CatalogException>(() => new VersionStore(_store.Root).Begin("v1")).Fault);
        using var other = Begin("v2");
        first.Seal(Description);
        other.Seal(Description);
        Assert.Equal(2, _store.List().Count);
    }

    [Fact]
    public void A_version_that_exists_is_never_written_again()
    {
        Write("v1");
        Assert.Contains("versions never change", Assert.Throws<CatalogException>(() => Write("v1")).Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData(".hidden")]
    [InlineData("active")]
    [InlineData("appended")]
    [InlineData("a b")]
    public void Names_that_are_no_version_names_are_refused(string name) =>
        Assert.Equal(Fault.InvalidArgument, Assert.Throws<CatalogException>(() => _store.Begin(name)).Fault);

    [Theory]
    [InlineData("../x")]
    [InlineData("/etc/x")]
    [InlineData("")]
    [InlineData("manifest.json")]
    [InlineData(".lock")]
    public void A_version_writes_only_inside_its_folder(string relative)
    {
        using var writer = _store.Begin("v1");
        Assert.Equal(Fault.InvalidArgument, Assert.Throws<CatalogException>(() => writer.PathOf(relative)).Fault);
    }

    [Fact]
    public void A_description_that_does_not_fit_the_item_table_is_refused()
    {
        using var writer = Begin("v1");
        Assert.Contains("16 items", Assert.Throws<CatalogException>(() => writer.Seal(Description with { Items = 16 })).Message);
        writer.Seal(Description);
    }

    [Fact]
    public void A_noted_active_version_is_remembered_while_it_is_there()
    {
        Assert.Null(_store.NotedActive);
        Write("v1");
        _store.NoteActive("v1");
        Assert.Equal("v1", new VersionStore(_store.Root).NotedActive);
        Assert.Throws<CatalogException>(() => _store.NoteActive("v9"));
        Directory.Delete(Path.Combine(_store.Root, "v1"), recursive: true);
        Assert.Null(_store.NotedActive);
    }

    public void Dispose() => _folder.Dispose();

    private static void Fail(bool now)
    {
        if (now)
        {
            throw new IOException("armed");
        }
    }

    private void AssertDamaged(string file)
    {
        var error = Assert.Throws<CatalogException>(() => _store.Open("v1"));
        Assert.Equal(Fault.DataLoss, error.Fault);
        Assert.Contains(file, error.Message);
    }

    private void Write(string version)
    {
        using var writer = Begin(version);
        writer.Seal(Description);
    }

    private IVersionWriter Begin(string version)
    {
        var writer = _store.Begin(version);
        File.WriteAllText(writer.PathOf("retrieval/model.safetensors"), "model");
        File.WriteAllText(writer.PathOf("codebook/codebook.json"), "{}");
        File.WriteAllText(writer.PathOf("report.json"), "{}");
        writer.WriteItems(Items);
        return writer;
    }
}
