using Recsys.Datasets;
using Recsys.Jobs.NightlyRebuild;
using Recsys.Torch;

namespace Recsys.Jobs.Tests;

public sealed class TrainingFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("recsys-jobs-").FullName;
    private readonly Dataset _dataset;

    public TrainingFilesTests()
    {
        string data = Directory.CreateDirectory(Path.Combine(_folder, "data")).FullName;
        File.WriteAllText(Path.Combine(data, "dataset.json"), """{ "name": "walks", "format": 1 }""");
        File.WriteAllLines(Path.Combine(data, "items.tsv"), ["item_id\ttitle", "a\tthing"]);
        _dataset = Dataset.Open(data);
    }

    [Fact]
    public void Of_two_rebuilds_at_once_neither_touches_the_others_checkpoints()
    {
        using var one = Take(new RebuildOptions());
        using var other = Take(new RebuildOptions { Seed = 18 });
        string kept = Note(one), gone = Note(other);
        Assert.NotEqual(kept, gone);
        other.Delete();
        Assert.True(File.Exists(kept));
        Assert.False(File.Exists(gone));
    }

    [Fact]
    public void A_second_rebuild_of_the_same_goes_without_checkpoints_until_the_first_has_ended()
    {
        using (var first = Take(new RebuildOptions()))
        {
            string kept = Note(first);
            using var second = Take(new RebuildOptions());
            Assert.Null(second.Of("retrieval"));
            second.Delete();
            Assert.True(File.Exists(kept));
        }

        using var next = Take(new RebuildOptions());
        Assert.True(File.Exists(next.Of("retrieval")!.Path)); // goes on where the first was stopped
    }

    [Fact]
    public void Ranks_with_a_device_each_have_one_place_for_their_checkpoints()
    {
        string place;
        using (var first = Take(new RebuildOptions { Device = "cuda:0" }))
        {
            place = first.Of("retrieval")!.Path;
        }

        using var second = Take(new RebuildOptions { Device = "cuda:1" });
        Assert.Equal(place, second.Of("retrieval")!.Path);
    }

    [Fact]
    public void Checkpoints_that_nobody_came_back_for_go_after_a_month_unless_their_rebuild_still_runs()
    {
        string abandoned, running;
        using (var dead = Take(new RebuildOptions { Seed = 1 }))
        {
            abandoned = Note(dead);
        }

        using var slow = Take(new RebuildOptions { Seed = 2 });
        running = Note(slow);
        foreach (string file in new[] { abandoned, running })
        {
            Directory.SetLastWriteTimeUtc(Path.GetDirectoryName(file)!, DateTime.UtcNow.AddDays(-31));
        }

        using var next = Take(new RebuildOptions { Seed = 3 });
        Assert.False(File.Exists(abandoned));
        Assert.True(File.Exists(running));
    }

    public void Dispose()
    {
        _dataset.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private TrainingFiles Take(RebuildOptions options) => TrainingFiles.Take(_folder, _dataset, options, TimeProvider.System, Ranks.Alone);

    private static string Note(TrainingFiles files)
    {
        string path = files.Of("retrieval")!.Path;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "state");
        return path;
    }
}
