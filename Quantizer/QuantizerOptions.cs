using System.Text.Json.Serialization;
using Recsys.Catalog;
using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Models;

namespace Recsys.Quantizer;

/// <summary>How embeddings become codes.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<QuantizerKind>))]
public enum QuantizerKind
{
    /// <summary>k-means on the embeddings, then on what each level leaves over.</summary>
    [JsonStringEnumMemberName("residual-kmeans")]
    ResidualKMeans,

    /// <summary>An autoencoder whose latent is quantised level by level (Zeghidour et al. 2021; Rajput et al. 2023).</summary>
    [JsonStringEnumMemberName("rqvae")]
    RqVae,
}

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

/// <summary>Settings of <see cref="Training.QuantizerTrainer"/>; <see cref="Validate"/> names every fault at once.</summary>
public sealed record QuantizerOptions
{
    public QuantizerKind Kind { get; init; } = QuantizerKind.ResidualKMeans;

    /// <summary>Codes per item, 1 to <see cref="SemanticId.MaxLevels"/>.</summary>
    public int Levels { get; init; } = 3;

    /// <summary>Codes per level, 2 to 65,536; a catalogue with fewer items gets as many codes as items.</summary>
    public int CodebookSize { get; init; } = 256;

    /// <summary>Lloyd iterations of every k-means, 1 to 1,000.</summary>
    public int KMeansIterations { get; init; } = 25;

    /// <summary>Seeds that every k-means is run from, the best being kept, 1 to 100.</summary>
    public int KMeansRestarts { get; init; } = 1;

    /// <summary>0: plain nearest codes; 1: codes nearly equally frequent; between: prices are that share of the balancing ones.</summary>
    public double BalanceStrength { get; init; } = 1;

    /// <summary>Rounds of balanced k-means after the plain one, 0 to 1,000.</summary>
    public int BalanceRounds { get; init; } = 10;

    /// <summary>Softness of the balance, as a share of the level's mean squared error.</summary>
    public double BalanceTemperature { get; init; } = 0.1;

    /// <summary>How the named embeddings are weighted against each other.</summary>
    public Encoding.FusionOptions Fusion { get; init; } = new();

    public RqVaeOptions RqVae { get; init; } = new();

    /// <exception cref="CatalogException">Every value out of its range, by its key in the JSON.</exception>
    public void Validate() => Faults.ThrowIfAny("Quantizer options", Check);

    /// <summary>Notes every value that is out of its range.</summary>
    public void Check(Faults faults)
    {
        faults.Check(Enum.IsDefined(Kind), "quantizer.kind", (int)Kind, "residual-kmeans or rqvae");
        faults.Range("quantizer.levels", Levels, 1, SemanticId.MaxLevels);
        faults.Range("quantizer.codebook_size", CodebookSize, 2, 65_536);
        faults.Range("quantizer.k_means_iterations", KMeansIterations, 1, 1_000);
        faults.Range("quantizer.k_means_restarts", KMeansRestarts, 1, 100);
        faults.Range("quantizer.balance_strength", BalanceStrength, 0, 1);
        faults.Range("quantizer.balance_rounds", BalanceRounds, 0, 1_000);
        faults.Range("quantizer.balance_temperature", BalanceTemperature, 0.001, 10);
        Fusion.Check(faults);
        RqVae.Check(faults);
    }
}

/// <summary>Settings of the RQ-VAE; defaults are what does not collapse (standardised inputs, AdamW 1e-3, revival of dead codes).</summary>
public sealed record RqVaeOptions
{
    /// <summary>Values of the quantised latent, 1 to 1,024.</summary>
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

    /// <summary>Share of the old running mean that a step keeps.</summary>
    public double EmaDecay { get; init; } = 0.99;

    /// <summary>A code chosen by fewer than this share of an even spread (running mean) is revived from the batch.</summary>
    public double DeadCodeShare { get; init; } = 0.05;

    /// <summary>Items that the first k-means sees: the first batch, but a large one.</summary>
    public int InitialBatch { get; init; } = 20_000;

    internal void Check(Faults faults)
    {
        faults.Range("quantizer.rq_vae.latent_dim", LatentDim, 1, 1024);
        faults.Range("quantizer.rq_vae.epochs", Epochs, 1, 100_000);
        faults.Range("quantizer.rq_vae.warm_up_epochs", WarmUpEpochs, 0, 100_000);
        faults.Range("quantizer.rq_vae.batch_size", BatchSize, 1, 1_000_000);
        faults.Range("quantizer.rq_vae.learning_rate", LearningRate, 1e-7, 1);
        faults.Range("quantizer.rq_vae.weight_decay", WeightDecay, 0, 1);
        faults.Range("quantizer.rq_vae.commitment_weight", CommitmentWeight, 0, 100);
        faults.Range("quantizer.rq_vae.ema_decay", EmaDecay, 0, 0.99999);
        faults.Range("quantizer.rq_vae.dead_code_share", DeadCodeShare, 0, 1);
        faults.Range("quantizer.rq_vae.initial_batch", InitialBatch, 2, 10_000_000);
        for (int layer = 0; layer < Hidden.Count; layer++)
        {
            faults.Range($"quantizer.rq_vae.hidden[{layer}]", Hidden[layer], 1, 16_384);
        }
    }
}
