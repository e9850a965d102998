using System.Text.Json;
using System.Text.Json.Serialization;
using Recsys.Catalog;
using Recsys.Diffusion.Training;
using Recsys.Embeddings;
using Recsys.Quantizer;
using Recsys.Retrieval;

namespace Recsys.Jobs.NightlyRebuild;

/// <summary>Everything a rebuild can be told; <c>--config FILE</c> reads it as JSON with snake_case keys.</summary>
public sealed record RebuildOptions
{
    /// <summary>Seeds every random choice of the rebuild but those of the default embeddings, which have a seed of their own.</summary>
    public long Seed { get; init; } = 17;

    /// <summary>Where every model trains: cpu, cuda or cuda:N.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Once the gates have passed, train again on everything, the held-out interactions included, and publish that.</summary>
    public bool FitAll { get; init; }

    /// <summary>Makes the new version the active one when the gates have passed.</summary>
    public bool Activate { get; init; } = true;

    /// <summary>Trains the creative model where the dataset has pictures.</summary>
    public bool Pictures { get; init; } = true;

    /// <summary>Seconds between two checkpoints of a training, 0 to 86,400. A rebuild that was killed, run again, goes on from the
    /// last.</summary>
    public double CheckpointSeconds { get; init; } = 30;

    public DefaultEmbeddingOptions Embeddings { get; init; } = new();

    public QuantizerOptions Quantizer { get; init; } = new();

    public RetrievalOptions Retrieval { get; init; } = new();

    public CreativeOptions Creative { get; init; } = new();

    public GateOptions Gates { get; init; } = new();

    /// <exception cref="CatalogException">Unknown key, wrong type, value out of range; NotFound: no such file.</exception>
    public static RebuildOptions Read(string path)
    {
        if (!File.Exists(path))
        {
            throw CatalogException.NotFound($"There is no configuration '{path}'.");
        }

        try
        {
            var options = JsonSerializer.Deserialize<RebuildOptions>(File.ReadAllText(path), Json.Settings)
                ?? throw CatalogException.Invalid($"Configuration '{path}' is empty.");
            options.Validate();
            return options;
        }
        catch (JsonException e)
        {
            throw CatalogException.Invalid($"Configuration '{path}', line {e.LineNumber + 1}: {e.Message}", e);
        }
    }

    /// <exception cref="CatalogException">Every value out of its range, by its key in the JSON.</exception>
    public void Validate()
    {
        var faults = new Faults("Rebuild options");
        faults.Check(
            Device is "cpu" or "cuda" || Device.StartsWith("cuda:", StringComparison.Ordinal), "device", Device, "cpu, cuda or cuda:N");
        faults.Range("checkpoint_seconds", CheckpointSeconds, 0, 86_400);
        Embeddings.Check(faults);
        Quantizer.Check(faults);
        Retrieval.Check(faults);
        Creative.Check(faults);
        Gates.Check(faults);
        faults.ThrowIfAny();
    }
}
