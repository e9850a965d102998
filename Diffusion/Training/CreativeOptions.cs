using Recsys.Diffusion.Denoisers;
using Recsys.Diffusion.Recipes;

namespace Recsys.Diffusion.Training;

/// <summary>How the creative model is trained.</summary>
public sealed record CreativeOptions
{
    /// <summary>For catalogues of thousands of pictures: about ten minutes on two cores.</summary>
    public static CreativeOptions Default { get; } = new();

    /// <summary>For a catalogue of some thousand simple pictures: about two minutes on two cores.</summary>
    public static CreativeOptions Demo { get; } = new()
    {
        Recipe = new Recipe { Denoiser = new UNetOptions { Channels = 32 } },
        Steps = 800,
        LearningRate = 2e-3,
        WarmupSteps = 50,
        EmaDecay = .99,
    };

    /// <summary>What is trained.</summary>
    public Recipe Recipe { get; init; } = new();

    /// <summary>Side of the pictures in pixels: 8 to 256, divisible by the codec's factor and the denoiser's halvings.</summary>
    public int ImageSize { get; init; } = 32;

    /// <summary>Optimiser steps: 1 to 10,000,000.</summary>
    public int Steps { get; init; } = 2200;

    /// <summary>Pictures a step: 1 to 4096.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>Peak learning rate of AdamW: above 0, at most 0.1.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Steps over which the learning rate rises to its peak, before it falls as a cosine: 0 to Steps.</summary>
    public int WarmupSteps { get; init; } = 100;

    /// <summary>AdamW's decoupled weight decay: 0 to 1.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Decay of the averaged weights that sampling uses: 0 to below 1; early steps use min(EmaDecay, (1 + step) / (10 +
    /// step)).</summary>
    public double EmaDecay { get; init; } = .999;

    /// <summary>Largest norm of a gradient: above 0.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Mirrors half of the pictures. Off: an item's picture has a left and a right.</summary>
    public bool Flip { get; init; }

    /// <summary>Convolutions and products in bfloat16 where the processor has it.</summary>
    public bool Bf16 { get; init; } = true;

    /// <summary>Steps between progress reports, whose loss is the mean since the last: 1 to 10,000.</summary>
    public int ReportEvery { get; init; } = 20;

    /// <exception cref="CatalogException">Every value out of its range, by its key in the JSON.</exception>
    public void Validate() => Faults.ThrowIfAny("Creative options", Check);

    /// <summary>Notes every value that is out of its range.</summary>
    public void Check(Faults faults)
    {
        faults.Range("creative.image_size", ImageSize, 8, 256);
        faults.Range("creative.steps", Steps, 1, 10_000_000);
        faults.Range("creative.batch_size", BatchSize, 1, 4096);
        faults.Check(LearningRate is > 0 and <= .1, "creative.learning_rate", LearningRate, "above 0 to 0.1");
        faults.Range("creative.warmup_steps", WarmupSteps, 0, Steps);
        faults.Range("creative.weight_decay", WeightDecay, 0, 1);
        faults.Check(EmaDecay is >= 0 and < 1, "creative.ema_decay", EmaDecay, "0 to below 1");
        faults.Check(ClipNorm > 0, "creative.clip_norm", ClipNorm, "above 0");
        faults.Range("creative.report_every", ReportEvery, 1, 10_000);
        long before = faults.Count;
        Recipe.Check(faults);
        if (faults.Count == before)
        {
            int unit = RecipeParts.Codecs[Recipe.Codec].Factor << (Recipe.Denoiser.Multipliers.Length - 1);
            faults.Check(
                ImageSize % unit == 0, "creative.image_size", ImageSize,
                $"a multiple of {unit} for this recipe's codec and {Recipe.Denoiser.Multipliers.Length} levels");
        }
    }
}
