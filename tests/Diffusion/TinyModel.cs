using Recsys.Catalog;
using Recsys.Diffusion.Denoisers;
using Recsys.Diffusion.Recipes;
using Recsys.Diffusion.Model;
using Recsys.Diffusion.Training;

namespace Recsys.Diffusion.Tests;

/// <summary>A model of seconds: two levels of 3 and 2 codes, 8 × 8 pictures, one plain colour (and a stripe)
/// for each of its items.</summary>
public sealed class TinyModel : IDisposable
{
    public static readonly int[] CodebookSizes = [3, 2];

    public static CreativeOptions Options { get; } = new()
    {
        Recipe = new Recipe
        {
            Prediction = "velocity",
            Codec = "identity",
            Denoiser = new UNetOptions { Channels = 8, HeadChannels = 8, Blocks = 1 },
            SampleSteps = 8,
            Guidance = 1,
        },
        ImageSize = 8,
        Steps = 300,
        BatchSize = 16,
        LearningRate = 4e-3,
        WarmupSteps = 10,
        EmaDecay = .98,
        Bf16 = false,
        ReportEvery = 25,
    };

    public TinyModel() => Model = CreativeTrainer.Train(Data(), Options, seed: 1, progress: new Sink(Reports));

    public CreativeModel Model { get; }

    public List<StageProgress> Reports { get; } = [];

    public static SemanticId[] Ids { get; } = [new([0, 0]), new([2, 1])];

    /// <summary>Item 0 red above black, item 1 white left of blue.</summary>
    public static CreativeTrainingData Data()
    {
        var pixels = new byte[2 * 3 * 64];
        for (int y = 0; y < 8; y++)
        {
            for (int x = 0; x < 8; x++)
            {
                int at = (y * 8) + x;
                pixels[at] = (byte)(y < 4 ? 255 : 0);
                (pixels[192 + at], pixels[256 + at], pixels[320 + at]) = x < 4
                    ? ((byte)255, (byte)255, (byte)255)
                    : ((byte)0, (byte)0, (byte)255);
            }
        }

        return new CreativeTrainingData(Ids, CodebookSizes, pixels, [true, true], 8);
    }

    /// <summary>Root mean square difference, in grey levels, of an interleaved picture from one of the training pictures.</summary>
    public static double Error(ReadOnlySpan<byte> drawn, int item)
    {
        var pixels = Data().Pixels;
        double sum = 0;
        for (int at = 0; at < 64; at++)
        {
            for (int channel = 0; channel < 3; channel++)
            {
                sum += Math.Pow(drawn[(3 * at) + channel] - pixels[(item * 192) + (channel * 64) + at], 2);
            }
        }

        return Math.Sqrt(sum / 192);
    }

    /// <summary>
    /// What the count of live tensors keeps of modules that were made and disposed: TorchSharp 0.107 counts each of their parameters twice
    /// when it is made and once when it goes.
    /// </summary>
    public static long Overcount(Func<IDisposable> make)
    {
        long before = LiveTensors();
        make().Dispose();
        return LiveTensors() - before;
    }

    /// <summary>That of one network of these options.</summary>
    public static long OvercountOfOne => Overcount(() => new ConditionalDenoiser(Options.Recipe, CodebookSizes, Options.ImageSize));

    /// <summary>Live tensors, once those that earlier tests dropped are gone.</summary>
    public static long LiveTensors()
    {
        for (int i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return Tensor.TotalCount;
    }

    public void Dispose() => Model.Dispose();

    private sealed class Sink(List<StageProgress> to) : IProgress<StageProgress>
    {
        public void Report(StageProgress value) => to.Add(value);
    }
}

[CollectionDefinition(Name)]
public sealed class TinyModelCollection : ICollectionFixture<TinyModel>
{
    public const string Name = "tiny model";
}
