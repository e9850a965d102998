using System.Text.Json.Serialization;
using Recsys.Catalog;
using Recsys.Quantizer.Models;

namespace Recsys.Quantizer;

/// <summary>How the codebooks of an RQ-VAE follow the residuals.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CodebookUpdate>))]
public enum CodebookUpdate
{
    /// <summary>Running means of the residuals that chose each code (van den Oord et al. 2017, appendix A.1).</summary>
    [JsonStringEnumMemberName("ema")]
    Ema,

    /// <summary>Gradient of the codebook loss ‖sg(r) − e‖².</summary>
    [JsonStringEnumMemberName("gradient")]
    Gradient,
}

/// <summary>Settings of the autoencoder and its codebooks; defaults are what does not collapse (standardised inputs, AdamW 1e-3, revival
/// of dead codes).</summary>
public sealed record RqVaeOptions
{
    /// <summary>Values of the quantised latent, 1 to 1,024; <c>fsq</c> and <c>lfq</c> have as many as their codes need.</summary>
    public int LatentDim { get; init; } = 32;

    /// <summary>Widths of the encoder's hidden layers, input side first; the decoder mirrors them.</summary>
    public IReadOnlyList<int> Hidden { get; init; } = [512, 256, 128];

    /// <summary>Passes over the catalogue, 1 to 100,000.</summary>
    public int Epochs { get; init; } = 100;

    /// <summary>Of these, passes of the bare autoencoder before the first codes are set.</summary>
    public int WarmUpEpochs { get; init; } = 10;

    /// <summary>Items per step, 1 to 1,000,000.</summary>
    public int BatchSize { get; init; } = 256;

    public double LearningRate { get; init; } = 1e-3;

    public double WeightDecay { get; init; } = 1e-4;

    /// <summary>β of the commitment loss β‖r − sg(e)‖².</summary>
    public double CommitmentWeight { get; init; } = 0.25;

    public CodebookUpdate CodebookUpdate { get; init; } = CodebookUpdate.Ema;

    /// <summary>How the reconstruction's gradient gets past the choice of codes, in <c>rqvae</c> and <c>vqvae</c>.</summary>
    public GradientEstimator GradientEstimator { get; init; } = GradientEstimator.StraightThrough;

    /// <summary>Of the first drawn codes, as a share of the level's mean squared error, .001 to 100; falls to a tenth.</summary>
    public double GumbelTemperature { get; init; } = 0.5;

    /// <summary>Share of the old running mean that a step keeps.</summary>
    public double EmaDecay { get; init; } = 0.99;

    /// <summary>A code chosen by fewer than this share of an even spread (running mean) is revived from the batch.</summary>
    public double DeadCodeShare { get; init; } = 0.05;

    /// <summary>Items that the first k-means sees: the first batch, but a large one.</summary>
    public int InitialBatch { get; init; } = 20_000;

    /// <summary>bf16 matrix products in training; null: where the processor has AVX512-BF16.</summary>
    public bool? BFloat16 { get; init; }

    internal void Check(Faults faults)
    {
        faults.Range("quantizer.rq_vae.latent_dim", LatentDim, 1, 1024);
        faults.Range("quantizer.rq_vae.epochs", Epochs, 1, 100_000);
        faults.Range("quantizer.rq_vae.warm_up_epochs", WarmUpEpochs, 0, 100_000);
        faults.Range("quantizer.rq_vae.batch_size", BatchSize, 1, 1_000_000);
        faults.Range("quantizer.rq_vae.learning_rate", LearningRate, 1e-7, 1);
        faults.Range("quantizer.rq_vae.weight_decay", WeightDecay, 0, 1);
        faults.Range("quantizer.rq_vae.commitment_weight", CommitmentWeight, 0, 100);
        faults.Check(
            Enum.IsDefined(GradientEstimator), "quantizer.rq_vae.gradient_estimator", (int)GradientEstimator,
            "straight-through, rotation or gumbel");
        faults.Range("quantizer.rq_vae.gumbel_temperature", GumbelTemperature, 0.001, 100);
        faults.Range("quantizer.rq_vae.ema_decay", EmaDecay, 0, 0.99999);
        faults.Range("quantizer.rq_vae.dead_code_share", DeadCodeShare, 0, 1);
        faults.Range("quantizer.rq_vae.initial_batch", InitialBatch, 2, 10_000_000);
        for (int layer = 0; layer < Hidden.Count; layer++)
        {
            faults.Range($"quantizer.rq_vae.hidden[{layer}]", Hidden[layer], 1, 16_384);
        }
    }
}
