using Recsys.Diffusion.Training;
using Recsys.Embeddings;
using Recsys.Embeddings.Images;
using Recsys.Jobs.NightlyRebuild;
using Recsys.Quantizer.Models;
using Recsys.Quantizer;
using Recsys.Retrieval;
using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Legs.Generative;

namespace Recsys.Cli.Demo;

/// <summary>Sizes of the demo: everything real, and small enough for minutes on two cores.</summary>
internal static class DemoOptions
{
    public const long Seed = 2026;

    /// <summary>Users asked for recall: about ±2 percentage points.</summary>
    public const int EvaluatedUsers = 2000;

    public const int Shoppers = 6;

    public const int DrawnItems = 12;

    public const int PicturesPerItem = 3;

    public static RebuildOptions Rebuild => new()
    {
        Seed = Seed,
        // ResNet-18 takes 70 ms a picture and core: a minute for stickers of 32 x 32 pixels, of which principal components know enough.
        Embeddings = new DefaultEmbeddingOptions { Image = new ImageEmbeddingOptions(Encoder: "pca") },
        Quantizer = new QuantizerOptions { Kind = QuantizerKind.RqVae, Levels = 3, CodebookSize = 128 },
        Retrieval = new RetrievalOptions
        {
            Id = new DenseOptions { MaxSteps = 300 },
            Content = new DenseOptions { MinSteps = 200, MaxSteps = 200 },
            Generative = new GenerativeOptions { Dropout = 0.1, LearningRate = 3e-3, MaxSteps = 300 },
            Open = false, // the page shows what was measured
        },
        Creative = CreativeOptions.Demo,
        Gates = new GateOptions { Users = 500 },
    };
}
