using Recsys.Retrieval.Legs.Dense;

namespace Recsys.Retrieval.Legs;

/// <summary>Shape and training recipe of a leg that is a transformer.</summary>
public abstract record LegOptions
{
    /// <summary>Most recent items that the model reads, 1 to 512.</summary>
    public int History { get; init; } = 20;

    /// <summary>Width of the transformer, a multiple of <see cref="Heads"/>.</summary>
    public int Dim { get; init; } = 128;

    public int Layers { get; init; } = 2;

    public int Heads { get; init; } = 4;

    public double Dropout { get; init; } = 0.3;

    /// <summary>Passes over the training part, where validation does not end the training before.</summary>
    public int Epochs { get; init; } = 30;

    /// <summary>Upper bound on optimiser steps, whatever the epochs.</summary>
    public int MaxSteps { get; init; } = 4000;

    /// <summary>Lower bound on optimiser steps, so that a small data set is learned too.</summary>
    public int MinSteps { get; init; } = 300;

    /// <summary>Items of one optimiser step.</summary>
    public int BatchItems { get; init; } = 2750;

    public double LearningRate { get; init; } = 1.5e-3;

    public double WeightDecay { get; init; } = 0.05;

    /// <summary>Share of the steps in which the learning rate climbs to its full value.</summary>
    public double Warmup { get; init; } = 0.03;

    /// <summary>Largest gradient norm.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>
    /// Looks at validation targets that bring nothing better before the training ends, 1 to 1,000; there are
    /// <see cref="Training.LegTraining.Looks"/> of them in a whole training. What is kept is always the best.
    /// </summary>
    public int Patience { get; init; } = 15;

    /// <summary>
    /// Weights of the items' feature vectors by name, 0 to 100: one of 0 is not read, one that is not named has what suits the leg
    /// (<see cref="FeaturesOf"/>).
    /// </summary>
    public IReadOnlyDictionary<string, double> Features { get; init; } = new Dictionary<string, double>();

    /// <summary>bf16 matrix products; null: where the processor has AVX512-BF16.</summary>
    public bool? BFloat16 { get; init; }

    /// <summary>The weights of a leg's features, where <see cref="Features"/> does not say otherwise; one that is not named has 1. Legs
    /// that read alike err alike: their sum gains most where each reads something of its own.</summary>
    /// <param name="leg">Its name.</param>
    public IReadOnlyDictionary<string, double> FeaturesOf(string leg)
    {
        var weights = leg switch
        {
            DenseLeg.Id => new Dictionary<string, double> { ["text"] = 0, ["image"] = 0, ["collaborative"] = 0.7 },
            DenseLeg.Content => new Dictionary<string, double> { ["collaborative"] = 0 },
            _ => [],
        };
        foreach (var (name, weight) in Features)
        {
            weights[name] = weight;
        }

        return weights;
    }

    /// <summary>Whether the heads share the width among them.</summary>
    protected virtual bool FitsHeads => Dim % Heads == 0;

    /// <summary>Notes every value that is out of its range.</summary>
    /// <param name="leg">The leg's key in the JSON.</param>
    public virtual void Check(Faults faults, string leg)
    {
        faults.Range($"{leg}.history", History, 1, 512);
        faults.Range($"{leg}.heads", Heads, 1, 64);
        faults.Check(
            Dim is >= 1 and <= 8192 && Heads >= 1 && FitsHeads, $"{leg}.dim", Dim, $"1 to 8192, a multiple of heads ({Heads})");
        faults.Range($"{leg}.layers", Layers, 1, 64);
        faults.Check(Dropout is >= 0 and < 1, $"{leg}.dropout", Dropout, "0 to below 1");
        faults.Range($"{leg}.epochs", Epochs, 1, 100_000);
        faults.Range($"{leg}.min_steps", MinSteps, 1, int.MaxValue);
        faults.Check(MaxSteps >= MinSteps, $"{leg}.max_steps", MaxSteps, $"min_steps ({MinSteps}) and more");
        faults.Range($"{leg}.batch_items", BatchItems, 16, 10_000_000);
        faults.Check(LearningRate is > 0 and <= 1, $"{leg}.learning_rate", LearningRate, "above 0 to 1");
        faults.Range($"{leg}.weight_decay", WeightDecay, 0, 10);
        faults.Check(Warmup is >= 0 and < 1, $"{leg}.warmup", Warmup, "0 to below 1");
        faults.Check(ClipNorm > 0, $"{leg}.clip_norm", ClipNorm, "above 0");
        faults.Range($"{leg}.patience", Patience, 1, 1000);
        foreach (var (name, weight) in Features)
        {
            faults.Range($"{leg}.features.{name}", weight, 0, 100);
        }
    }
}
