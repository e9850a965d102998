using Recsys.Catalog;
using Recsys.Datasets;
using Recsys.Imaging;

namespace Recsys.Embeddings.Tests;

public sealed class DefaultEmbeddingsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("recsys-embed-").FullName;

    public DefaultEmbeddingsTests()
    {
        File.WriteAllText(Path.Combine(_folder, "dataset.json"), """{"name":"tiny","format":1}""");
        File.WriteAllLines(Path.Combine(_folder, "items.tsv"), ["item_id\ttitle\tbrand", "a\tred shoe\tacme", "b\tred hat\tacme", "c\tblue hat\tother", "d\tblue shoe\tother", "e\t???\t"]);
        File.WriteAllLines(Path.Combine(_folder, "sequences.txt"), ["u1 a b c d", "u2 b a c d", "u3 a b d c", "u4 b a c e"]);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void What_the_dataset_has_is_embedded_and_read_back()
    {
        var outcomes = Write(1);
        Assert.Equal(["text", "collaborative", "image"], outcomes.Select(o => o.Name));
        Assert.Equal([true, true, false], outcomes.Select(o => o.Written));
        using var dataset = Dataset.Open(_folder);
        Assert.Equal([true, true, true, true, false], dataset.ReadEmbedding("text").Present);
        // The training parts are (a, b) and (b, a): nothing else has a collaborative vector.
        Assert.Equal([true, true, false, false, false], dataset.ReadEmbedding("collaborative").Present);
        Assert.Equal(["a", "b"], File.ReadAllLines(FileOf("collaborative.ids.txt")));
    }

    [Fact]
    public void Same_seed_gives_the_same_bytes()
    {
        Write(1);
        var before = Directory.GetFiles(FileOf("")).Order().Select(File.ReadAllBytes).ToArray();
        Write(1);
        Assert.Equal(before, Directory.GetFiles(FileOf("")).Order().Select(File.ReadAllBytes));
    }

    [Fact]
    public void A_brought_file_is_never_overwritten()
    {
        Directory.CreateDirectory(FileOf(""));
        Npy.Write(FileOf("text.npy"), new float[] { 1, 2, 3, 4, 5 }, 1);
        var own = File.ReadAllBytes(FileOf("text.npy"));
        Assert.False(Write(1)[0].Written);
        Assert.False(Write(2)[0].Written);
        Assert.Equal(own, File.ReadAllBytes(FileOf("text.npy")));
    }

    [Fact]
    public void A_generated_file_that_its_owner_replaced_is_theirs_from_then_on()
    {
        Write(1);
        Npy.Write(FileOf("text.npy"), new float[] { 1, 2, 3, 4, 5 }, 1);
        File.Delete(FileOf("text.ids.txt"));
        Assert.False(Write(1)[0].Written);
        Assert.Equal(1, Dataset.Open(_folder).ReadEmbedding("text").Dim);
        Assert.True(Write(1)[1].Written);
    }

    [Fact]
    public void A_file_left_by_a_run_that_died_is_made_anew()
    {
        Write(1);
        File.WriteAllText(FileOf("default.json"), """{"seed":1,"files":{"text":null}}""");
        File.WriteAllBytes(FileOf("text.npy"), [1, 2, 3]);
        Assert.True(Write(1)[0].Written);
        Assert.Equal(5, Dataset.Open(_folder).ReadEmbedding("text").Count);
    }

    [Fact]
    public void A_damaged_marker_is_a_typed_error()
    {
        Write(1);
        File.WriteAllText(FileOf("default.json"), "{ nonsense");
        Assert.Equal(Fault.DataLoss, Assert.Throws<CatalogException>(() => Write(1)).Fault);
    }

    [Fact]
    public void The_marker_names_the_split_and_fit_all_sees_the_held_out_items()
    {
        Write(1);
        string split = new LeaveOneOut(Dataset.Open(_folder).Sequences).Sha256;
        Assert.Contains(split, File.ReadAllText(FileOf("default.json")), StringComparison.Ordinal);
        DefaultEmbeddings.Write(Dataset.Open(_folder), new DefaultEmbeddingOptions { FitAll = true }, null, default);
        Assert.DoesNotContain(false, Dataset.Open(_folder).ReadEmbedding("collaborative").Present);
    }

    [Fact]
    public void Pictures_are_embedded_and_unreadable_ones_reported()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "images"));
        foreach (var (id, red) in new[] { ("a", 250), ("b", 200), ("c", 10) })
        {
            File.WriteAllBytes(Path.Combine(_folder, "images", id + ".png"), ImageEmbedderTests.Png(new Rgb((byte)red, 30, 30)));
        }

        File.WriteAllText(Path.Combine(_folder, "images", "d.png"), "no picture");
        var image = Write(1)[2];
        Assert.True(image.Written);
        Assert.Contains("'d'", image.Note, StringComparison.Ordinal);
        Assert.Equal([true, true, true, false, false], Dataset.Open(_folder).ReadEmbedding("image").Present);
    }

    [Fact]
    public void Cancelling_writes_nothing_more()
    {
        using var cancel = new CancellationTokenSource();
        cancel.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => DefaultEmbeddings.Write(Dataset.Open(_folder), new DefaultEmbeddingOptions(), null, cancel.Token));
        Assert.False(Directory.Exists(FileOf("")));
    }

    private IReadOnlyList<DefaultEmbeddingOutcome> Write(long seed)
    {
        using var dataset = Dataset.Open(_folder);
        return DefaultEmbeddings.Write(dataset, new DefaultEmbeddingOptions { Seed = seed }, null, default);
    }

    private string FileOf(string name) => Path.Combine(_folder, "embeddings", name);
}
