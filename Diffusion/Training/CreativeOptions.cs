using Recsys.Catalog;
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
        Steps = 1000,
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

    /// <summary>Every value in range, or all faults in one error.</summary>
    /// <exception cref="CatalogException">InvalidArgument.</exception>
    public CreativeOptions Validate()
    {
        var faults = Faults().ToList();
        return faults.Count == 0 ? this : throw CatalogException.Invalid("Creative options: " + string.Join(" ", faults));
    }

    private IEnumerable<string> Faults()
    {
        foreach (var (bad, fault) in new (bool, string)[]
        {
            (ImageSize is < 8 or > 256, $"ImageSize {ImageSize}: allowed are 8 to 256."),
            (Steps is < 1 or > 10_000_000, $"Steps {Steps}: allowed are 1 to 10,000,000."),
            (BatchSize is < 1 or > 4096, $"BatchSize {BatchSize}: allowed are 1 to 4096."),
            (LearningRate is not (> 0 and <= .1), $"LearningRate {LearningRate}: allowed are numbers above 0, at most 0.1."),
            (WarmupSteps < 0 || WarmupSteps > Steps, $"WarmupSteps {WarmupSteps}: allowed are 0 to Steps ({Steps})."),
            (WeightDecay is not (>= 0 and <= 1), $"WeightDecay {WeightDecay}: allowed are 0 to 1."),
            (EmaDecay is not (>= 0 and < 1), $"EmaDecay {EmaDecay}: allowed are 0 to below 1."),
            (!(ClipNorm > 0), $"ClipNorm {ClipNorm}: allowed are numbers above 0."),
            (ReportEvery is < 1 or > 10_000, $"ReportEvery {ReportEvery}: allowed are 1 to 10,000."),
        })
        {
            if (bad)
            {
                yield return fault;
            }
        }

        bool sound = true;
        foreach (string fault in Recipe.Faults())
        {
            sound = false;
            yield return fault;
        }

        if (sound)
        {
            int unit = RecipeParts.Codecs[Recipe.Codec]().Factor << (Recipe.Denoiser.Multipliers.Length - 1);
            if (ImageSize % unit != 0)
            {
                yield return $"ImageSize {ImageSize}: this recipe's codec and {Recipe.Denoiser.Multipliers.Length} levels need a "
                    + $"multiple of {unit}.";
            }
        }
    }
}
