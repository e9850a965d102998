using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Training;

namespace Recsys.Retrieval.Tests.Training;

/// <summary>A training that was stopped goes on from its checkpoint as if it had never stopped.</summary>
public sealed class ResumeTests : IDisposable
{
    private const int Steps = 50;

    private static readonly RetrievalOptions Options = Walks.All(Steps) with { Id = Short, Content = Short };

    private readonly TemporaryFolder _folder = new();

    private static DenseOptions Short => Walks.Dense with { MaxSteps = Steps, Dropout = 0.2, BatchItems = 64 };

    private string File => Path.Combine(_folder.Path, "below", "retrieval.checkpoint");

    [Theory]
    [InlineData("id", 2)]
    [InlineData("content", 1)]
    [InlineData("generative", 0)]
    public void The_resumed_model_has_the_bytes_of_the_uninterrupted_one(string leg, int later)
    {
        var data = Data();
        var whole = Walks.Files(data, Options, 3);
        Interrupt(data, Options, leg, steps: 20);
        var resumed = new List<StageProgress>();
        var model = RetrievalTrainer.Train(data, Options, 3, new Collect(resumed), new CheckpointPlace(File, TimeSpan.Zero));

        // Legs that had ended are taken as they are, and of this one no step is done again.
        string[] trained = [.. resumed.Select(progress => progress.Stage).Distinct()];
        Assert.Equal(["transitions", .. RetrievalOptions.LegNames.TakeLast(later + 1), "sum"], trained);
        Assert.Equal(22, resumed.First(progress => progress.Stage == leg).Done);
        Assert.Equal(whole, Walks.Files(model));
    }

    [Fact]
    public void Patience_goes_on_where_it_was()
    {
        var data = Data();
        var options = Options with { Content = null, Generative = null, Id = Short with { Patience = 3, LearningRate = 0.1 } };
        var (whole, resumed) = (new List<StageProgress>(), new List<StageProgress>());
        var expected = Walks.Files(RetrievalTrainer.Train(data, options, 3, new Collect(whole)));
        var looks = whole.Where(progress => progress.Stage == "id").ToList();
        Assert.InRange(looks[^1].Done, 8, Steps - 2); // random walks: what does better on them is soon found
        long stopped = looks[^2].Done; // two of the three misses are behind it
        Interrupt(data, options, "id", stopped);
        var model = RetrievalTrainer.Train(data, options, 3, new Collect(resumed), new CheckpointPlace(File, TimeSpan.Zero));
        Assert.Equal([looks[^1].Done], resumed.Where(progress => progress.Stage == "id").Select(progress => progress.Done));
        Assert.Equal(expected, Walks.Files(model));
    }

    [Fact]
    public void A_checkpoint_of_another_training_or_a_damaged_one_counts_as_none_and_it_says_so()
    {
        var data = Data();
        Interrupt(data, Options, "id", 20);
        Assert.EndsWith("is of other data, codes, options or seed", Why(seed: 4), StringComparison.Ordinal);

        Interrupt(data, Options, "id", 20);
        Assert.EndsWith(
            "is of other data, codes, options or seed", Why(seed: 3, validation: 1), // another look may end it elsewhere
            StringComparison.Ordinal);

        Interrupt(data, Options, "id", 20);
        using (var file = new FileStream(Path.ChangeExtension(File, ".id.safetensors"), FileMode.Open))
        {
            file.SetLength(file.Length / 2);
        }

        Assert.EndsWith("id.safetensors' is damaged", Why(seed: 3), StringComparison.Ordinal);

        string? Why(long seed, int validation = 0)
        {
            var reports = new List<StageProgress>();
            var checkpoint = new CheckpointPlace(File, TimeSpan.FromHours(1));
            RetrievalTrainer.Train(Data(validation), Options, seed, new Collect(reports), checkpoint).Dispose();
            var id = reports.Where(progress => progress.Stage == "id").Take(2).ToArray();
            Assert.Equal([0, 2], id.Select(progress => progress.Done));
            Assert.StartsWith("begins anew: the checkpoint '", id[0].Note, StringComparison.Ordinal);
            return id[0].Note;
        }
    }

    public void Dispose() => _folder.Dispose();

    private void Interrupt(RetrievalTrainingData data, RetrievalOptions options, string leg, long steps)
    {
        using var cancel = new CancellationTokenSource();
        var checkpoint = new CheckpointPlace(File, TimeSpan.Zero);
        Assert.Throws<OperationCanceledException>(
            () => RetrievalTrainer.Train(data, options, 3, new Stop(cancel, leg, steps), checkpoint, cancel: cancel.Token));
    }

    /// <param name="validation">Added to the validation targets.</param>
    private static RetrievalTrainingData Data(int validation = 0)
    {
        var random = new Random(9);
        int[][] walks = [.. Enumerable.Range(0, 40).Select(_ => Enumerable.Range(0, 11).Select(_ => random.Next(30)).ToArray())];
        foreach (int[] walk in walks)
        {
            walk[^2] = (walk[^2] + validation) % 30;
        }

        return RetrievalTrainingData.From(Tiny.Table(30, [5, 5], 1), new LeaveOneOut(Tiny.Sequences(walks)), [Tiny.Features(30)]);
    }
}
