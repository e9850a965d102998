using Recsys.Retrieval.Training;

namespace Recsys.Retrieval.Tests.Training;

/// <summary>A training that was stopped goes on from its checkpoint as if it had never stopped.</summary>
public sealed class ResumeTests : IDisposable
{
    private static readonly RetrievalOptions Options = Tiny.Options with
    {
        Dropout = 0.2, DenseDropout = 0.1, DenseLoss = 0.5, Ema = 0.9, MaxSteps = 50, MinSteps = 50, BatchTokens = 64,
    };

    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

    private string File => Path.Combine(_folder, "below", "retrieval.checkpoint");

    [Fact]
    public void The_resumed_model_has_the_bytes_of_the_uninterrupted_one()
    {
        var data = Data();
        var whole = Bytes(RetrievalTrainer.Train(data, Options, 3));
        Interrupt(data);
        var resumed = new List<StageProgress>();
        var model = RetrievalTrainer.Train(data, Options, 3, new Collect(resumed), new CheckpointPlace(File, TimeSpan.Zero));
        Assert.Equal(40, resumed[0].Done); // steps 1 to 20 were not done again
        Assert.Equal(whole, Bytes(model));
    }

    [Fact]
    public void A_checkpoint_of_another_training_or_a_damaged_one_counts_as_none()
    {
        var data = Data();
        Interrupt(data);
        var other = new List<StageProgress>();
        RetrievalTrainer.Train(data, Options, 4, new Collect(other), new CheckpointPlace(File, TimeSpan.FromHours(1))).Dispose();
        Assert.Equal(20, other[0].Done);

        using (var file = new FileStream(File, FileMode.Open))
        {
            file.SetLength(file.Length / 2);
        }

        var anew = new List<StageProgress>();
        RetrievalTrainer.Train(data, Options, 3, new Collect(anew), new CheckpointPlace(File, TimeSpan.FromHours(1))).Dispose();
        Assert.Equal(20, anew[0].Done);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void Interrupt(RetrievalTrainingData data)
    {
        using var cancel = new CancellationTokenSource();
        var checkpoint = new CheckpointPlace(File, TimeSpan.Zero);
        Assert.Throws<OperationCanceledException>(
            () => RetrievalTrainer.Train(data, Options, 3, new Stop(cancel), checkpoint, cancel: cancel.Token));
    }

    private static RetrievalTrainingData Data()
    {
        var random = new Random(9);
        var table = Tiny.Table(30, [5, 5], 1);
        var offsets = Enumerable.Range(0, 41).Select(user => user * 9).ToArray();
        var all = new SequenceSet(
            [.. Enumerable.Range(0, 40).Select(user => $"u{user}")], offsets, [.. Enumerable.Range(0, 360).Select(_ => random.Next(30))]);
        return new RetrievalTrainingData { Items = table, Training = all };
    }

    private byte[] Bytes(RetrievalModel model)
    {
        using (model)
        {
            model.Save(_folder);
        }

        return System.IO.File.ReadAllBytes(Path.Combine(_folder, "model.safetensors"));
    }

    private sealed class Collect(List<StageProgress> into) : IProgress<StageProgress>
    {
        public void Report(StageProgress value) => into.Add(value);
    }

    private sealed class Stop(CancellationTokenSource source) : IProgress<StageProgress>
    {
        public void Report(StageProgress value) => source.Cancel();
    }
}
