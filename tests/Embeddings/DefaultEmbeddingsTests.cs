using Recsys.Catalog;
using Recsys.Datasets;
using Recsys.Embeddings.Images;
using Recsys.Embeddings.Text;
using Recsys.Imaging;

namespace Recsys.Embeddings.Tests;

public sealed class DefaultEmbeddingsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("recsys-embed-").FullName;
    private readonly TemporaryFolder _cache = new();

    public DefaultEmbeddingsTests()
    {
        File.WriteAllText(Path.Combine(_folder, "dataset.json"), """{"name":"tiny","format":1}""");
        string[] items =
        [
            "a\tred shoe\tacme", "b\tred hat\tacme", "c\tblue hat\tother", "d\tblue shoe\tother", "e\t???\t", "f\t\t",
        ];
        File.WriteAllLines(Path.Combine(_folder, "items.tsv"), ["item_id\ttitle\tbrand", .. items]);
        File.WriteAllLines(Path.Combine(_folder, "sequences.txt"), ["u1 a b c d", "u2 b a c d", "u3 a b d c", "u4 b a c e"]);
    }

    private DefaultEmbeddingOptions Options => new() { Cache = _cache.Path };

    public void Dispose()
    {
        Directory.Delete(_folder, recursive: true);
        _cache.Dispose();
    }

    [Fact]
    public void What_the_dataset_has_is_embedded()
    {
        var made = Make(Options);
        Assert.Equal(["text", "collaborative", "image"], made.Select(embedding => embedding.Name));
        Assert.Equal([true, true, true, true, true, false], made[0].Vectors!.Present); // the last has neither title nor brand
        Assert.Equal(384, made[0].Vectors!.Dim);
        // The training parts are (a, b) and (b, a): nothing else has a collaborative vector.
        Assert.Equal([true, true, false, false, false, false], made[1].Vectors!.Present);
        Assert.Null(made[2].Vectors);
        Assert.Contains("no pictures", made[2].Note, StringComparison.Ordinal);
        Assert.Equal(["all-MiniLM-L6-v2, 256 tokens"], made.Take(1).Select(embedding => embedding.Vectors!.Space));
    }

    // Root may write anywhere, so permissions would prove nothing: every name and time of change in the folder is compared instead.
    [Fact]
    public void Nothing_is_written_into_the_dataset_and_its_hash_stays()
    {
        WritePictures();
        string[] State() => [.. Directory.GetFileSystemEntries(_folder, "*", SearchOption.AllDirectories).Append(_folder).Order()
            .Select(path => $"{path} {File.GetLastWriteTimeUtc(path).Ticks}")];
        string Hash()
        {
            using var dataset = Dataset.Open(_folder);
            return dataset.Sha256;
        }

        var (state, hash) = (State(), Hash());
        Make(Options);
        Make(Options with { Text = new("tfidf"), Image = new("pca") });
        Assert.Equal(state, State());
        Assert.Equal(hash, Hash());
        Assert.NotEmpty(Directory.GetFiles(_cache.Path));
    }

    [Fact]
    public void Known_texts_and_pictures_are_not_encoded_again_and_new_ones_are()
    {
        WritePictures();
        var before = Make(Options);
        var encoded = new List<StageProgress>();
        var again = Make(Options, encoded);
        Assert.DoesNotContain(encoded, step => step.Stage == "embed text");
        // Of the four pictures three are known; the unreadable one is tried, and named, each time.
        Assert.Equal([1L], encoded.Where(step => step.Stage == "embed image").Select(step => step.Total));
        Assert.All(before.Zip(again), pair => Assert.Equal(pair.First.Vectors!.Data, pair.Second.Vectors!.Data));

        File.AppendAllText(Path.Combine(_folder, "items.tsv"), "g\tgreen scarf\tacme\n");
        encoded.Clear();
        var grown = Make(Options, encoded);
        Assert.Equal([1L], encoded.Where(step => step.Stage == "embed text").Select(step => step.Total));
        Assert.Equal(before[0].Vectors!.Data, grown[0].Vectors!.Data[..before[0].Vectors!.Data.Length]);
        Assert.Equal(before.Select(made => made.Vectors!.Space), grown.Select(made => made.Vectors!.Space));
    }

    [Fact]
    public void Cached_vectors_are_those_of_a_run_without_a_cache_and_damaged_caches_are_made_anew()
    {
        Make(Options);
        foreach (string file in Directory.GetFiles(_cache.Path))
        {
            File.WriteAllBytes(file, File.ReadAllBytes(file)[..100]);
        }

        using var other = new TemporaryFolder();
        Assert.Equal(Make(Options with { Cache = other.Path })[0].Vectors!.Data, Make(Options)[0].Vectors!.Data);
    }

    [Fact]
    public void A_cache_that_cannot_be_written_is_noted_and_changes_nothing()
    {
        _cache.With("file", "no folder");
        string[] places = [_cache["file"], _cache["file/below"], "/proc/recsys/cache"];
        foreach (string place in places)
        {
            var made = Make(Options with { Cache = place })[0];
            Assert.Contains("not cached", made.Note, StringComparison.Ordinal);
            Assert.Equal(Make(Options)[0].Vectors!.Data, made.Vectors!.Data);
        }
    }

    [MountFact]
    public void A_cache_on_a_full_or_read_only_device_is_noted_and_nothing_of_it_stays()
    {
        using MountedFolder full = new(4), fixedDevice = new(400);
        fixedDevice.MakeReadOnly();
        foreach (var device in new[] { full, fixedDevice })
        {
            var made = Make(Options with { Cache = device["cache"] })[0];
            Assert.Contains("not cached", made.Note, StringComparison.Ordinal);
            Assert.Equal(Make(Options)[0].Vectors!.Data, made.Vectors!.Data);
            Assert.Empty(Directory.GetFiles(device.Path, "*", SearchOption.AllDirectories));
        }
    }

    [MountFact]
    public void A_dataset_on_a_read_only_device_is_embedded_as_any_other()
    {
        WritePictures();
        using var device = new MountedFolder(400);
        foreach (string file in Directory.GetFiles(_folder, "*", SearchOption.AllDirectories))
        {
            string copy = device[Path.GetRelativePath(_folder, file)];
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        device.MakeReadOnly();
        using var dataset = Dataset.Open(device.Path);
        var there = DefaultEmbeddings.Of(dataset, Options, null, default);
        Assert.All(Make(Options).Zip(there), pair => Assert.Equal(pair.First.Vectors!.Data, pair.Second.Vectors!.Data));
    }

    [Fact]
    public void Many_at_once_on_one_dataset_all_get_the_same_vectors()
    {
        WritePictures();
        var made = new float[4][];
        Parallel.For(0, made.Length, i => made[i] = [.. Make(Options).SelectMany(embedding => embedding.Vectors!.Data)]);
        Assert.All(made, vectors => Assert.Equal(made[0], vectors));
        Assert.DoesNotContain(Directory.GetFiles(_cache.Path), file => file.EndsWith(".tmp", StringComparison.Ordinal));
    }

    [Fact]
    public void Brought_embeddings_are_taken_as_they_are()
    {
        Directory.CreateDirectory(FileOf(""));
        Bring("text");
        Bring("own");
        var made = Make(Options);
        Assert.Equal(["text", "collaborative", "image", "own"], made.Select(embedding => embedding.Name));
        Assert.Equal([true, false, false, true], made.Select(embedding => embedding.Brought));
        Assert.Equal([1, 2, 3, 4, 5, 6], made[0].Vectors!.Data);
        Assert.Null(made[0].Vectors!.Space);
    }

    [Fact]
    public void Files_that_an_earlier_version_generated_do_not_pass_for_brought_ones()
    {
        Directory.CreateDirectory(FileOf(""));
        Bring("text");
        File.WriteAllText(FileOf("default.json"), """{"seed":1,"files":{"text":"0"}}""");
        var refused = Assert.Throws<CatalogException>(() => Make(Options));
        Assert.Equal(Fault.FailedPrecondition, refused.Fault);
        Assert.Contains("default.json", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("resnet18")]
    [InlineData("pca")]
    public void Unreadable_pictures_are_counted_and_named(string encoder)
    {
        WritePictures();
        var image = Make(Options with { Image = new(encoder) })[2];
        Assert.Equal([true, true, true, false, false, false], image.Vectors!.Present);
        Assert.Equal(1, image.Unreadable);
        Assert.Contains("'d'", Assert.Single(image.FirstUnreadable), StringComparison.Ordinal);
        Assert.Contains(EmbeddingSummary.Of(image).Lines(6), line => line.Contains("1 pictures cannot be read", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("resnet18")]
    [InlineData("pca")]
    public void Where_no_picture_can_be_read_that_is_said_too(string encoder)
    {
        Directory.CreateDirectory(Path.Combine(_folder, "images"));
        File.WriteAllText(Path.Combine(_folder, "images", "d.png"), "no picture");
        var image = Make(Options with { Image = new(encoder) })[2];
        Assert.Null(image.Vectors);
        Assert.Equal(1, image.Unreadable);
    }

    [Fact]
    public void Fitted_spaces_are_others_after_a_fit_to_other_data_and_frozen_ones_are_not()
    {
        var fitted = Options with { Text = new("tfidf") };
        var (frozen, text) = (Make(Options)[0].Vectors!.Space, Make(fitted)[0].Vectors!.Space);
        Assert.Equal(text, Make(fitted)[0].Vectors!.Space);
        File.AppendAllText(Path.Combine(_folder, "items.tsv"), "g\tgreen scarf\tacme\n");
        Assert.NotEqual(text, Make(fitted)[0].Vectors!.Space);
        Assert.Equal(frozen, Make(Options)[0].Vectors!.Space);
    }

    [Fact]
    public void The_collaborative_embedding_learns_from_what_it_is_given()
    {
        using var dataset = Dataset.Open(_folder);
        var all = DefaultEmbeddings.Of(dataset, Options, null, default, new LeaveOneOut(dataset.Sequences).All)[1].Vectors!;
        Assert.Equal([true, true, true, true, true, false], all.Present);
        Assert.NotEqual(Make(Options)[1].Vectors!.Space, all.Space);
    }

    [Fact]
    public void Cancelling_ends_it()
    {
        using var dataset = Dataset.Open(_folder);
        using var cancel = new CancellationTokenSource();
        cancel.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => DefaultEmbeddings.Of(dataset, Options, null, cancel.Token));
        Assert.Empty(Directory.GetFileSystemEntries(_cache.Path));
    }

    private IReadOnlyList<DatasetEmbedding> Make(DefaultEmbeddingOptions options, List<StageProgress>? progress = null)
    {
        using var dataset = Dataset.Open(_folder);
        return DefaultEmbeddings.Of(dataset, options, progress is null ? null : new Steps(progress), default);
    }

    private void WritePictures()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "images"));
        foreach (var (id, red) in new[] { ("a", 250), ("b", 200), ("c", 10) })
        {
            File.WriteAllBytes(Path.Combine(_folder, "images", id + ".png"), PcaEmbedderTests.Png((byte)red, 30, 30));
        }

        File.WriteAllText(Path.Combine(_folder, "images", "d.png"), "no picture");
    }

    private void Bring(string name) =>
        Npy.Write(FileOf(name + ".npy"), Enumerable.Range(1, 6).Select(value => (ReadOnlyMemory<float>)new float[] { value }), 6, 1);

    private string FileOf(string name) => Path.Combine(_folder, "embeddings", name);

    private sealed class Steps(List<StageProgress> steps) : IProgress<StageProgress>
    {
        public void Report(StageProgress value)
        {
            lock (steps)
            {
                steps.Add(value);
            }
        }
    }
}
