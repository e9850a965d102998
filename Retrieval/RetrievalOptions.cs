using System.Text.Json.Serialization;

namespace Recsys.Retrieval;

/// <summary>Shape and training recipe of the retrieval model; saved beside the weights as <c>config.json</c>.</summary>
public sealed record RetrievalOptions
{
    /// <summary>Most recent items that the model reads, 1 to 512.</summary>
    public int History { get; init; } = 20;

    /// <summary>Width of the transformer, a multiple of <see cref="Heads"/>.</summary>
    public int Dim { get; init; } = 128;

    public int Layers { get; init; } = 4;

    public int Heads { get; init; } = 4;

    public double Dropout { get; init; } = 0.3;

    /// <summary>Adds each history item's own vector (projected features + learned embedding) to its last token.</summary>
    public bool DenseInputs { get; init; } = true;

    /// <summary>Share of dense vectors hidden in training, so that an appended item, which has none, is nothing new to the model.</summary>
    public double DenseDropout { get; init; } = 0.1;

    /// <summary>Weight of the dense head's loss (softmax over all items at each item's end); 0 builds no dense head.</summary>
    public double DenseLoss { get; init; }

    /// <summary>Share of the positions of a step that the dense head learns from, above 0 to 1.</summary>
    public double DenseShare { get; init; } = 0.5;

    /// <summary>
    /// Share of the generative model in the hybrid ranking, 0.05 to 1: α·log P(generative) + (1 − α)·log P(dense). Null: chosen on the
    /// validation targets, or 0.5 where there are none. Used with a dense head only.
    /// </summary>
    public double? Alpha { get; init; }

    /// <summary>Passes over the training part.</summary>
    public int Epochs { get; init; } = 30;

    /// <summary>Upper bound on optimiser steps, whatever the epochs.</summary>
    public int MaxSteps { get; init; } = 4000;

    /// <summary>Lower bound on optimiser steps, so that a small data set is learned too.</summary>
    public int MinSteps { get; init; } = 300;

    /// <summary>Tokens of one optimiser step.</summary>
    public int BatchTokens { get; init; } = 11_000;

    public double LearningRate { get; init; } = 1.5e-3;

    public double WeightDecay { get; init; } = 0.05;

    /// <summary>Share of the steps in which the learning rate climbs to its full value.</summary>
    public double Warmup { get; init; } = 0.03;

    /// <summary>Largest gradient norm.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Decay of the moving average of the weights that is saved in place of the last ones; 0: none.</summary>
    public double Ema { get; init; }

    /// <summary>bf16 matrix products; null: where the processor has AVX512-BF16.</summary>
    public bool? BFloat16 { get; init; }

    /// <summary>Beam of a query that names none; widened to its k.</summary>
    public int Beam { get; init; } = 50;

    /// <exception cref="CatalogException">Names every value that is out of its range at once.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        void Check(bool holds, string name, object? value, string range)
        {
            if (!holds)
            {
                faults.Add($"{name} is {value}, allowed is {range}");
            }
        }

        Check(History is >= 1 and <= 512, nameof(History), History, "1 to 512");
        Check(Heads is >= 1 and <= 64, nameof(Heads), Heads, "1 to 64");
        Check(Dim is >= 1 and <= 8192 && Heads >= 1 && Dim % Heads == 0, nameof(Dim), Dim, $"1 to 8192, a multiple of Heads ({Heads})");
        Check(Layers is >= 1 and <= 64, nameof(Layers), Layers, "1 to 64");
        Check(Dropout is >= 0 and < 1, nameof(Dropout), Dropout, "0 to below 1");
        Check(DenseDropout is >= 0 and < 1, nameof(DenseDropout), DenseDropout, "0 to below 1");
        Check(DenseLoss is >= 0 and <= 100, nameof(DenseLoss), DenseLoss, "0 to 100");
        Check(DenseShare is > 0 and <= 1, nameof(DenseShare), DenseShare, "above 0 to 1");
        Check(Alpha is null or (>= 0.05 and <= 1), nameof(Alpha), Alpha, "0.05 to 1");
        Check(Epochs is >= 1 and <= 100_000, nameof(Epochs), Epochs, "1 to 100000");
        Check(MinSteps is >= 1, nameof(MinSteps), MinSteps, "1 and more");
        Check(MaxSteps >= MinSteps, nameof(MaxSteps), MaxSteps, $"MinSteps ({MinSteps}) and more");
        Check(BatchTokens is >= 64 and <= 10_000_000, nameof(BatchTokens), BatchTokens, "64 to 10000000");
        Check(LearningRate is > 0 and <= 1, nameof(LearningRate), LearningRate, "above 0 to 1");
        Check(WeightDecay is >= 0 and <= 10, nameof(WeightDecay), WeightDecay, "0 to 10");
        Check(Warmup is >= 0 and < 1, nameof(Warmup), Warmup, "0 to below 1");
        Check(ClipNorm > 0, nameof(ClipNorm), ClipNorm, "above 0");
        Check(Ema is >= 0 and < 1, nameof(Ema), Ema, "0 to below 1");
        Check(Beam is >= 1 and <= 1000, nameof(Beam), Beam, "1 to 1000");
        if (faults.Count > 0)
        {
            throw CatalogException.Invalid($"Retrieval options: {string.Join("; ", faults)}.");
        }
    }
}
