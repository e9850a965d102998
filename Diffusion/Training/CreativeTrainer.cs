using Recsys.Diffusion.Denoisers;
using Recsys.Diffusion.Model;

namespace Recsys.Diffusion.Training;

/// <summary>Trains the denoiser on the catalogue's pictures, each conditioned on its item's semantic ID.</summary>
public static class CreativeTrainer
{
    /// <param name="seed">Weights, batches, times, noise and drops follow from it.</param>
    /// <param name="progress">Stage <c>creative</c>, with <c>loss</c> and <c>learning_rate</c>.</param>
    /// <param name="checkpoint">Where the training's state is kept; one that was stopped goes on from there and gives the same
    /// model.</param>
    /// <param name="device">Where to train, and where the model stays: cpu, cuda or cuda:N.</param>
    /// <param name="ranks">The processes that train together; null: this one alone.</param>
    /// <exception cref="CatalogException">Options or data are out of range; no picture; the loss stopped being finite.</exception>
    public static CreativeModel Train(
        CreativeTrainingData data, CreativeOptions options, long seed, IProgress<StageProgress>? progress = null,
        CheckpointPlace? checkpoint = null, string device = "cpu", Ranks? ranks = null, CancellationToken cancel = default)
    {
        ranks ??= Ranks.Alone;
        options.Validate();
        data.Validate();
        if (options.BatchSize < ranks.Size)
        {
            throw CatalogException.Invalid(
                $"BatchSize {options.BatchSize} for {ranks.Size} ranks: each needs a picture. Start fewer ranks, or raise BatchSize.");
        }

        if (data.ImageSize != options.ImageSize)
        {
            throw CatalogException.Invalid(
                $"Pictures of side {data.ImageSize} for a model of side {options.ImageSize}: load them at the option's ImageSize.");
        }

        var place = Devices.Of(device);
        manual_seed(seed);
        var network = new ConditionalDenoiser(options.Recipe, data.CodebookSizes, options.ImageSize);
        try
        {
            network.Conditioner.Sketch?.Fit(data);
            network.MoveTo(place);
            double loss = Fit(network, data, options, seed, progress, checkpoint, ranks, cancel);
            network.eval();
            return new CreativeModel(
                network, options.Recipe, options.ImageSize, data.CodebookSizes,
                new TrainingRecord(options.Steps, options.BatchSize, seed, loss, data.Present.Count(p => p)));
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private static double Fit(
        ConditionalDenoiser network, CreativeTrainingData data, CreativeOptions options, long seed, IProgress<StageProgress>? progress,
        CheckpointPlace? place, Ranks ranks, CancellationToken cancel)
    {
        using var scope = NewDisposeScope();
        network.train();
        using var run = new CreativeRun(network, data, options, seed, ranks);
        var checkpoint = place is null ? null : new TrainingCheckpoint(place.Path, place.Every, ranks);
        run.Restore(checkpoint);
        if (checkpoint?.Unfit is { } why)
        {
            progress?.Report(new StageProgress("creative", 0, options.Steps, $"begins anew: {why}"));
        }

        while (run.Step < options.Steps)
        {
            cancel.ThrowIfCancellationRequested();
            double rate = options.LearningRate * LearningRates.WarmupCosine(run.Step, options.WarmupSteps, options.Steps);
            if (run.Advance(rate))
            {
                progress?.Report(
                    new StageProgress(
                        "creative", run.Step, options.Steps, null, new Dictionary<string,
                        double> { ["loss"] = run.Loss, ["learning_rate"] = rate }));
            }

            run.Save(checkpoint);
        }

        run.Finish();
        return run.Loss;
    }
}
