namespace Recsys.Faiss.Tests;

public sealed class IndexFileTests : IDisposable
{
    private const int Dim = 9;
    private readonly string _folder = Directory.CreateTempSubdirectory("recsys-faiss-").FullName;
    private readonly float[] _base = Points.Clustered(200, Dim, seed: 2), _queries = Points.Clustered(30, Dim, seed: 3);

    private string Path => System.IO.Path.Combine(_folder, "items.index");

    [Theory]
    [InlineData(Metric.L2)]
    [InlineData(Metric.InnerProduct)]
    public void What_is_loaded_answers_as_what_was_saved_and_can_grow(Metric metric)
    {
        using var index = HnswIndexTests.Make(metric);
        index.Add(_base);
        index.Save(Path);
        using var again = HnswIndex.Load(Path);
        Assert.Equal((index.Count, index.Dim, index.Metric), (again.Count, again.Dim, again.Metric));
        SearchResult expected = index.Search(_queries, 5), found = again.Search(_queries, 5);
        Assert.Equal(expected.Ids, found.Ids);
        Assert.Equal(expected.Distances, found.Distances);
        again.Add(_base.AsSpan(0, Dim));
        Assert.Equal(201, again.Count);
    }

    [Fact]
    public void The_settings_of_an_index_are_saved_with_it()
    {
        using var graph = new HnswIndex(Dim, Metric.L2, m: 12, efConstruction: 77) { EfSearch = 99 };
        graph.Save(Path);
        using var graphAgain = HnswIndex.Load(Path);
        Assert.Equal((12, 77, 99), (graphAgain.M, graphAgain.EfConstruction, graphAgain.EfSearch));
    }

    [Fact]
    public void Every_changed_byte_and_every_shorter_or_longer_file_is_refused()
    {
        using var index = new HnswIndex(Dim, Metric.L2, m: 4);
        index.Add(_base.AsSpan(0, 10 * Dim));
        index.Save(Path);
        byte[] sound = File.ReadAllBytes(Path);
        string bad = Path + ".bad";
        void Refused(byte[] bytes, int at)
        {
            File.WriteAllBytes(bad, bytes);
            var error = Assert.Throws<FaissFileException>(() => HnswIndex.Load(bad).Dispose());
            Assert.Equal(bad, error.Path);
            Assert.Contains(at < 8 ? "does not begin" : "is damaged", error.Message, StringComparison.Ordinal);
        }

        for (int at = 0; at < sound.Length; at++)
        {
            sound[at] ^= 0x10;
            Refused(sound, at);
            sound[at] ^= 0x10;
        }

        foreach (int length in new[] { 0, 7, 47 })
        {
            Refused(sound[..length], at: 0);
        }

        Refused(sound[..^1], at: 100);
        Refused([.. sound, 0], at: 100);
    }

    [Fact]
    public void A_file_that_is_not_there_and_a_folder_that_is_not_there_are_typed_errors()
    {
        var absent = Assert.Throws<FaissFileException>(() => HnswIndex.Load(Path));
        Assert.Contains("could not be opened", absent.Message, StringComparison.Ordinal);
        using var index = new HnswIndex(Dim, Metric.L2);
        string missing = System.IO.Path.Combine(_folder, "no", "items.index");
        Assert.Equal(missing, Assert.Throws<FaissFileException>(() => index.Save(missing)).Path);
    }

    [Fact]
    public void Saving_replaces_the_file_and_leaves_nothing_beside_it_also_when_it_fails()
    {
        using var index = new HnswIndex(Dim, Metric.L2);
        index.Save(Path);
        index.Add(_base);
        index.Save(Path);
        using (var again = HnswIndex.Load(Path))
        {
            Assert.Equal(200, again.Count);
        }

        string occupied = System.IO.Path.Combine(_folder, "occupied");
        Directory.CreateDirectory(System.IO.Path.Combine(occupied, "full"));
        Assert.Throws<FaissFileException>(() => index.Save(occupied));
        Assert.Equal(["items.index", "occupied"], Directory.GetFileSystemEntries(_folder).Select(System.IO.Path.GetFileName).Order());
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
