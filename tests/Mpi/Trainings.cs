using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Diffusion.Denoisers;
using Recsys.Diffusion.Recipes;
using Recsys.Diffusion.Model;
using Recsys.Diffusion.Training;
using Recsys.Quantizer;
using Recsys.Quantizer.Alignment;
using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Training;
using Recsys.Retrieval;
using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Legs.Generative;
using Recsys.Retrieval.Training;
using Recsys.Torch;

namespace Recsys.Mpi.Tests;

/// <summary>Whole trainings of seconds, in float32; each writes its model into a folder of its name.</summary>
internal static class Trainings
{
    public static readonly string[] Names = ["kmeans", "followed", "rqvae-ema", "rqvae-gradient", Revived, "retrieval", "creative"];

    /// <summary>Codes follow the gradient, and dead ones are revived.</summary>
    public const string Revived = "rqvae-gradient-revived";

    // 201 items in batches of 50: the last batch has one item, and so one of two ranks has none.
    private static readonly QuantizerOptions RqVae = new()
    {
        Kind = QuantizerKind.RqVae,
        Levels = 3,
        CodebookSize = 24,
        RqVae = new RqVaeOptions
        {
            BFloat16 = false,
            LatentDim = 8, Hidden = [24], Epochs = 12, WarmUpEpochs = 3, BatchSize = 50, EmaDecay = 0.9, DeadCodeShare = 0.3,
        },
    };

    private static readonly DenseOptions Dense = new()
    {
        History = 6, Dim = 16, Layers = 2, Heads = 2, Dropout = 0.3, BatchItems = 100, MinSteps = 30, MaxSteps = 30, BFloat16 = false,
    };

    public static void Run(Ranks ranks, string folder)
    {
        var fused = Fused(201, 12);
        Quantize("kmeans", new QuantizerOptions { Levels = 3, CodebookSize = 24 });
        Follow("kmeans", "followed", Fused(240, 12));
        Quantize("rqvae-ema", RqVae);
        var gradient = RqVae.RqVae with { CodebookUpdate = CodebookUpdate.Gradient };
        Quantize("rqvae-gradient", RqVae with { RqVae = gradient with { DeadCodeShare = 0 } });
        Quantize(Revived, RqVae with { RqVae = gradient });
        var data = RetrievalData();
        var retrieval = RetrievalTrainer.Train(
            data,
            new RetrievalOptions
            {
                Id = Dense,
                Content = Dense,
                Generative = new GenerativeOptions
                {
                    History = 6, Dim = 16, Layers = 2, Heads = 2, Dropout = 0.3, BatchItems = 100, MinSteps = 30, MaxSteps = 30,
                    BFloat16 = false,
                },
            },
            seed: 3, ranks: ranks);
        retrieval.Save(Into("retrieval"));
        using var recommender = new Recommender(retrieval, data.Items);
        var answers = recommender.Recommend(new RecommendQuery([3, 14, 15, 9, 26, 5], data.Items.Count), default);
        var said = answers.OrderBy(answer => answer.Item).SelectMany(answer => answer.Parts.Select(part => part.Value));
        Outputs("retrieval", tensor(said.ToArray()));
        using var creative = CreativeTrainer.Train(
            CreativeData(),
            new CreativeOptions
            {
                // Two channels a group: in a norm of one channel the bias before it has no gradient but rounding; see ParityTests.
                Recipe = new Recipe { Codec = "identity", Denoiser = new UNetOptions { Channels = 16, HeadChannels = 8, Blocks = 1 } },
                ImageSize = 8, Steps = 20, BatchSize = 5, WarmupSteps = 3, LearningRate = 2e-4, EmaDecay = 0.9, Bf16 = false,
            },
            seed: 4, ranks: ranks);
        creative.Save(Into("creative"));

        void Quantize(string name, QuantizerOptions options)
        {
            using var codebook = QuantizerTrainer.Train(fused, options, 2, null, default, ranks: ranks);
            codebook.Save(Into(name));
            var codes = codebook.EncodeCatalogue(fused).Ids.SelectMany(id => id.Codes().Append(id.Collision));
            Outputs(name, tensor(codes.Select(code => (float)code).ToArray()));
        }

        void Follow(string before, string name, FusedEmbeddings later)
        {
            SemanticId[] ids;
            using (var codebook = Codebook.Load(Into(before)))
            {
                ids = codebook.EncodeCatalogue(fused).Ids;
            }

            string[] items = [.. Enumerable.Range(0, later.Count).Select(item => $"i{item}")];
            var table = new ItemTable(items[..fused.Count], ids, items[..fused.Count], [24, 24, 24]);
            var earlier = new EarlierCodes(before, Into(before), table, new CodebookOrigin(true, TrainedError: 1, Error: 0));
            var codes = earlier.Follow(later, items, new StabilityOptions(), () => throw new InvalidOperationException(), ranks);
            using var followed = codes.Codebook;
            followed.Save(Into(name));
            Outputs(name, tensor(codes.Ids.SelectMany(id => id.Codes().Append(id.Collision)).Select(code => (float)code).ToArray()));
        }

        void Outputs(string name, Tensor values) => Recsys.Torch.Safetensors.SafetensorsFile.Save(
            Path.Combine(Into(name), "outputs.safetensors"), new Dictionary<string, Tensor> { ["outputs"] = values }, null);

        string Into(string name) => Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
    }

    private static FusedEmbeddings Fused(int n, int dim)
    {
        var random = new Random(1);
        var centres = Enumerable.Range(0, 9 * dim).Select(_ => (float)random.NextDouble()).ToArray();
        var data = Enumerable.Range(0, n * dim)
            .Select(i => centres[(i / dim % 9 * dim) + (i % dim)] + (0.3f * (float)random.NextDouble())).ToArray();
        var embedding = new EmbeddingMatrix("text", dim, data, Enumerable.Repeat(true, n).ToArray());
        return Fusion.Fit([embedding], new FusionOptions()).Apply([embedding]);
    }

    private static RetrievalTrainingData RetrievalData()
    {
        const int Items = 60, Users = 70;
        var random = new Random(5);
        var ids = Enumerable.Range(0, Items).Select(item => new SemanticId([(ushort)(item % 6), (ushort)(item / 6)])).ToArray();
        var table = new ItemTable([.. ids.Select((_, i) => $"i{i}")], ids, [.. ids.Select((_, i) => $"t{i}")], [6, 10]);
        var offsets = new int[Users + 1];
        var items = new List<int>();
        for (int user = 0; user < Users; user++)
        {
            items.AddRange(Enumerable.Range(0, 2 + random.Next(9)).Select(_ => random.Next(Items)));
            offsets[user + 1] = items.Count;
        }

        var features = Fused(Items, 6);
        return new RetrievalTrainingData
        {
            Items = table,
            Training = new SequenceSet([.. Enumerable.Range(0, Users).Select(user => $"u{user}")], offsets, [.. items]),
            Features = [new EmbeddingMatrix("fused", 6, features.Data, features.Present)],
        };
    }

    private static CreativeTrainingData CreativeData()
    {
        var pixels = new byte[7 * 3 * 64];
        new Random(6).NextBytes(pixels);
        return new CreativeTrainingData(
            [.. Enumerable.Range(0, 7).Select(i => new SemanticId([(ushort)(i % 3), (ushort)(i / 3)]))], [3, 3], pixels,
            [true, true, true, false, true, true, true], 8);
    }
}
