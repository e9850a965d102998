using Recsys.Catalog;
using Recsys.Diffusion.Denoisers;
using Recsys.Diffusion.Recipes;
using Recsys.Diffusion.Training;

namespace Recsys.Diffusion.Tests;

[Collection(TinyModelCollection.Name)]
public class TrainingTests(TinyModel tiny)
{
    [Fact]
    public void Two_pictures_learned_by_their_codes_are_drawn_back()
    {
        byte[] drawn = tiny.Model.Draw([.. TinyModel.Ids, .. TinyModel.Ids], [1, 2, 3, 4], steps: 10, guidance: 1.5);
        for (int i = 0; i < 4; i++)
        {
            var picture = drawn.AsSpan(i * 192, 192);
            double own = TinyModel.Error(picture, i % 2), other = TinyModel.Error(picture, 1 - (i % 2));
            Assert.True(own < 60 && own < other / 3, $"picture {i}: {own:f1} grey levels from its own, {other:f1} from the other");
        }
    }

    [Fact]
    public void A_prefix_draws_what_its_items_look_like()
    {
        byte[] drawn = tiny.Model.Draw([new SemanticId([0]), new SemanticId([2])], [5, 6], steps: 10, guidance: 1.5);
        Assert.True(TinyModel.Error(drawn.AsSpan(0, 192), 0) < 60);
        Assert.True(TinyModel.Error(drawn.AsSpan(192, 192), 1) < 60);
    }

    [Fact]
    public void Progress_is_the_loss_curve_and_it_falls()
    {
        Assert.Equal(12, tiny.Reports.Count);
        Assert.All(tiny.Reports, report => Assert.Equal(("creative", 300L), (report.Stage, report.Total)));
        Assert.Equal(300, tiny.Reports[^1].Done);
        Assert.True(tiny.Reports[^1].Metrics!["loss"] < tiny.Reports[0].Metrics!["loss"] / 4);
        Assert.Equal(tiny.Reports[^1].Metrics!["loss"], tiny.Model.Training.Loss);
    }

    [Fact]
    public void The_same_seed_gives_the_same_weights()
    {
        var options = TinyModel.Options with { Steps = 5, WarmupSteps = 0 };
        using var first = CreativeTrainer.Train(TinyModel.Data(), options, 9);
        using var second = CreativeTrainer.Train(TinyModel.Data(), options, 9);
        using var third = CreativeTrainer.Train(TinyModel.Data(), options, 10);
        Assert.Equal(first.Training.Loss, second.Training.Loss);
        Assert.Equal(first.Draw(TinyModel.Ids, [1, 2], 3, 2), second.Draw(TinyModel.Ids, [1, 2], 3, 2));
        Assert.NotEqual(first.Training.Loss, third.Training.Loss);
    }

    [Fact]
    public void Every_path_and_prediction_that_is_legal_trains()
    {
        foreach (string path in RecipeParts.Paths.Keys)
        {
            foreach (string prediction in RecipeParts.Predictions.Keys)
            {
                foreach (string codec in RecipeParts.Codecs.Keys)
                {
                    var recipe = TinyModel.Options.Recipe with
                    {
                        Path = path, Prediction = prediction, Codec = codec, Times = "uniform", Solver = "ddim",
                    };
                    if (FaultsOf(recipe).Count == 0)
                    {
                        var options = TinyModel.Options with { Recipe = recipe, Steps = 1, WarmupSteps = 0, ReportEvery = 1, Bf16 = false };
                        using var model = CreativeTrainer.Train(TinyModel.Data(), options, 1);

                        // An untrained network answers 0: the first loss is the mean square of what this recipe asks for.
                        double asked = MeanSquareOfTheFirstTarget(options, 1);
                        Assert.Equal(asked, model.Training.Loss, asked * 1e-4);
                        Assert.Equal(192, model.Draw([TinyModel.Ids[0]], [1], 2, 2).Length);
                    }
                }
            }
        }
    }

    private static double MeanSquareOfTheFirstTarget(CreativeOptions options, long seed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        using var network = new ConditionalDenoiser(options.Recipe, TinyModel.Data().CodebookSizes, options.ImageSize);
        return new TrainingBatches(TinyModel.Data(), options, network.Conditioner, generator).Next().Target.pow(2).mean().ToDouble();
    }

    [Fact]
    public void The_learning_rate_rises_in_a_line_and_falls_as_a_cosine()
    {
        Assert.Equal(.1, LearningRates.WarmupCosine(0, 10, 110), 1e-12);
        Assert.Equal(1, LearningRates.WarmupCosine(9, 10, 110), 1e-12);
        Assert.Equal(1, LearningRates.WarmupCosine(10, 10, 110), 1e-12);
        Assert.Equal(.5, LearningRates.WarmupCosine(60, 10, 110), 1e-12);
        Assert.Equal(1, LearningRates.WarmupCosine(0, 0, 1), 1e-12);
    }

    [Fact]
    public void A_stopped_training_goes_on_from_its_checkpoint_to_the_bytes_of_the_uninterrupted_one()
    {
        var options = TinyModel.Options with { Steps = 21, ReportEvery = 8, BatchSize = 3 };
        string file = Path.Combine(Directory.CreateTempSubdirectory().FullName, "creative.checkpoint");
        using var stop = new CancellationTokenSource();
        var checkpoint = new CheckpointPlace(file, TimeSpan.Zero);
        Assert.Throws<OperationCanceledException>(
            () => CreativeTrainer.Train(TinyModel.Data(), options, 5, new Stop(stop), checkpoint, cancel: stop.Token));
        var reports = new List<StageProgress>();
        using var whole = CreativeTrainer.Train(TinyModel.Data(), options, 5);
        using var resumed = CreativeTrainer.Train(TinyModel.Data(), options, 5, new Collect(reports), checkpoint);
        Assert.Equal([16, 21], reports.Select(report => report.Done)); // steps 1 to 8 were not done again
        using (var other = CreativeTrainer.Train(TinyModel.Data(), options with { Steps = 12 }, 6, new Collect(reports), checkpoint))
        {
            Assert.StartsWith("begins anew: the checkpoint '", reports[2].Note, StringComparison.Ordinal);
        }

        Assert.Equal(whole.Training, resumed.Training);
        foreach (var ((name, expected), (_, actual)) in whole.Network.state_dict().Zip(resumed.Network.state_dict()))
        {
            Assert.True(expected.eq(actual).all().item<bool>(), name);
        }

        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
    }

    [Fact]
    public void Cancelling_stops_training_and_leaves_no_tensor_behind()
    {
        long before = TinyModel.OvercountOfOne + TinyModel.LiveTensors();
        using var stop = new CancellationTokenSource();
        var progress = new Stop(stop);
        Assert.Throws<OperationCanceledException>(
            () => CreativeTrainer.Train(TinyModel.Data(), TinyModel.Options with { ReportEvery = 2 }, 1, progress, cancel: stop.Token));
        Assert.Equal(1, progress.Reports);
        Assert.Equal(before, TinyModel.LiveTensors());
    }

    [Fact]
    public void Training_and_drawing_return_every_tensor()
    {
        long before = TinyModel.OvercountOfOne + TinyModel.LiveTensors();
        using (var model = CreativeTrainer.Train(TinyModel.Data(), TinyModel.Options with { Steps = 3, WarmupSteps = 0 }, 1))
        {
            long held = TinyModel.LiveTensors(); // what earlier tests left to the collector is gone now
            model.Draw(TinyModel.Ids, [1, 2], 3, 2);
            Assert.Equal(held, Tensor.TotalCount);
            Assert.Throws<CatalogException>(() => model.Draw([new SemanticId([3])], [1], 3, 2));
            Assert.Equal(held, Tensor.TotalCount);
        }

        Assert.Equal(before, TinyModel.LiveTensors());
    }

    [Fact]
    public void Bad_options_are_all_named_at_once()
    {
        var options = new CreativeOptions
        {
            ImageSize = 20, Steps = 0, BatchSize = 0, LearningRate = double.NaN, EmaDecay = 1, ClipNorm = 0, ReportEvery = 0,
            WarmupSteps = 0,
            Recipe = new Recipe { Path = "spiral", DropAll = .9, Guidance = double.NaN },
        };
        var fault = Assert.Throws<CatalogException>(() => options.Validate());
        Assert.Equal(Fault.InvalidArgument, fault.Fault);
        string[] names =
        [
            "creative.steps is 0", "creative.batch_size is 0", "creative.learning_rate is NaN", "creative.ema_decay is 1",
            "creative.clip_norm is 0", "creative.report_every is 0", "creative.recipe.path is 'spiral'",
            "creative.recipe.drop_all is 0.9", "creative.recipe.guidance is NaN",
        ];
        foreach (string name in names)
        {
            Assert.Contains(name, fault.Message, StringComparison.Ordinal);
        }

        fault = Assert.Throws<CatalogException>(() => new CreativeOptions { ImageSize = 30 }.Validate());
        Assert.Contains("multiple of 4", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rectified-flow", "eps", "linear")]
    [InlineData("linear", "velocity", "linear")]
    [InlineData("rectified-flow", "velocity", "leading")]
    public void Compositions_that_make_no_sense_are_refused(string path, string prediction, string grid) =>
        Assert.Single(FaultsOf(new Recipe { Path = path, Prediction = prediction, Grid = grid }));

    private static IReadOnlyList<string> FaultsOf(Recipe recipe)
    {
        var faults = new Faults("recipe");
        recipe.Check(faults);
        return faults.List;
    }

    [Fact]
    public void Bad_data_is_a_typed_error()
    {
        var data = TinyModel.Data();
        Refused(Fault.FailedPrecondition, data with { Present = [false, false] }, TinyModel.Options);
        Refused(Fault.InvalidArgument, data with { Pixels = new byte[5] }, TinyModel.Options);
        Refused(Fault.InvalidArgument, data with { Ids = [new([9, 9]), new([0, 0])] }, TinyModel.Options);
        Refused(Fault.InvalidArgument, data, TinyModel.Options with { ImageSize = 16 });

        static void Refused(Fault fault, Model.CreativeTrainingData data, CreativeOptions options) =>
            Assert.Equal(fault, Assert.Throws<CatalogException>(() => CreativeTrainer.Train(data, options, 1)).Fault);
    }

    private sealed class Collect(List<StageProgress> into) : IProgress<StageProgress>
    {
        public void Report(StageProgress value) => into.Add(value);
    }

    private sealed class Stop(CancellationTokenSource source) : IProgress<StageProgress>
    {
        public int Reports { get; private set; }

        public void Report(StageProgress value)
        {
            Reports++;
            source.Cancel();
        }
    }
}
