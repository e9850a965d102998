using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Legs.Generative;
using Recsys.Retrieval.Legs.Transitions;
using Recsys.Retrieval.Training;

namespace Recsys.Retrieval.Tests.Training;

/// <summary>Users walk a ring of items in steps of one or of two, and legs that learn it in seconds.</summary>
internal static class Walks
{
    public static readonly GenerativeOptions Generative = new()
    {
        History = 6, Dim = 32, Layers = 1, Heads = 2, Dropout = 0, DenseDropout = 0,
        BatchItems = 340, MinSteps = 1, MaxSteps = 400, Epochs = 400,
        LearningRate = 5e-3, WeightDecay = 0.01, Patience = 1000, BFloat16 = false,
    };

    public static readonly DenseOptions Dense = new()
    {
        History = 6, Dim = 32, Layers = 1, Heads = 2, Dropout = 0,
        BatchItems = 340, MinSteps = 1, MaxSteps = 400, Epochs = 400,
        LearningRate = 5e-3, WeightDecay = 0.01, Patience = 1000, BFloat16 = false,
    };

    /// <summary>The generative leg alone.</summary>
    public static readonly RetrievalOptions Decoding = new()
    {
        Transitions = null, Id = null, Content = null, Generative = Generative, Beam = 10,
    };

    /// <summary>All legs, each of so many steps, with everything that is drawn at random.</summary>
    public static RetrievalOptions All(int steps) => Decoding with
    {
        Transitions = new TransitionOptions(),
        Id = Dense with { MaxSteps = steps, Dropout = 0.2 },
        Content = Dense with { MaxSteps = steps, Dropout = 0.2 },
        Generative = Generative with { MaxSteps = steps, Dropout = 0.2, DenseDropout = 0.1 },
    };

    /// <summary>A user's last two items tell which way they go.</summary>
    public static (ItemTable Items, SequenceSet All) Make(int items = 30, int users = 60)
    {
        var walks = Enumerable.Range(0, users).Select(
            user => Enumerable.Range(0, 10).Select(i => (user + (i * (1 + (user / items)))) % items).ToArray());
        return (Tiny.Table(items, [5, 5], 1), Tiny.Sequences([.. walks]));
    }

    /// <summary>Trains a model and gives the bytes of its files by their names.</summary>
    public static Dictionary<string, string> Files(RetrievalTrainingData data, RetrievalOptions options, long seed) =>
        Files(RetrievalTrainer.Train(data, options, seed));

    /// <summary>Saves a model, disposes it, and gives the bytes of its files by their names.</summary>
    public static Dictionary<string, string> Files(RetrievalModel model)
    {
        using var folder = new TemporaryFolder();
        using (model)
        {
            model.Save(folder.Path);
        }

        return Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories).ToDictionary(
            file => Path.GetRelativePath(folder.Path, file), file => Convert.ToHexString(File.ReadAllBytes(file)));
    }
}

/// <summary>Keeps what is reported.</summary>
internal sealed class Collect(List<StageProgress> into) : IProgress<StageProgress>
{
    public void Report(StageProgress value) => into.Add(value);
}

/// <summary>Cancels when a stage has done so many steps.</summary>
internal sealed class Stop(CancellationTokenSource source, string stage, long steps) : IProgress<StageProgress>
{
    public long Steps { get; private set; }

    public void Report(StageProgress value)
    {
        if (value.Stage == stage && value.Done >= steps)
        {
            Steps = value.Done;
            source.Cancel();
        }
    }
}
