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
    /// Share of the generative model in the hybrid ranking, 0.05 to 1: α·log P(generative) + (1 − α)·log P(dense).
    /// Null: chosen on the validation targets, or 0.5 where there are none. Used with a dense head only.
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

    /// <exception cref="CatalogException">Every value out of its range, by its key in the JSON.</exception>
    public void Validate() => Faults.ThrowIfAny("Retrieval options", Check);

    /// <summary>Notes every value that is out of its range.</summary>
    public void Check(Faults faults)
    {
        faults.Range("retrieval.history", History, 1, 512);
        faults.Range("retrieval.heads", Heads, 1, 64);
        faults.Check(
            Dim is >= 1 and <= 8192 && Heads >= 1 && Dim % Heads == 0, "retrieval.dim", Dim, $"1 to 8192, a multiple of heads ({Heads})");
        faults.Range("retrieval.layers", Layers, 1, 64);
        faults.Check(Dropout is >= 0 and < 1, "retrieval.dropout", Dropout, "0 to below 1");
        faults.Check(DenseDropout is >= 0 and < 1, "retrieval.dense_dropout", DenseDropout, "0 to below 1");
        faults.Range("retrieval.dense_loss", DenseLoss, 0, 100);
        faults.Check(DenseShare is > 0 and <= 1, "retrieval.dense_share", DenseShare, "above 0 to 1");
        faults.Range("retrieval.alpha", Alpha ?? 1, 0.05, 1);
        faults.Range("retrieval.epochs", Epochs, 1, 100_000);
        faults.Range("retrieval.min_steps", MinSteps, 1, int.MaxValue);
        faults.Check(MaxSteps >= MinSteps, "retrieval.max_steps", MaxSteps, $"min_steps ({MinSteps}) and more");
        faults.Range("retrieval.batch_tokens", BatchTokens, 64, 10_000_000);
        faults.Check(LearningRate is > 0 and <= 1, "retrieval.learning_rate", LearningRate, "above 0 to 1");
        faults.Range("retrieval.weight_decay", WeightDecay, 0, 10);
        faults.Check(Warmup is >= 0 and < 1, "retrieval.warmup", Warmup, "0 to below 1");
        faults.Check(ClipNorm > 0, "retrieval.clip_norm", ClipNorm, "above 0");
        faults.Check(Ema is >= 0 and < 1, "retrieval.ema", Ema, "0 to below 1");
        faults.Range("retrieval.beam", Beam, 1, 1000);
    }
}
