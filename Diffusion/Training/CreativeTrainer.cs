namespace Recsys.Diffusion;

/// <summary>Trains the denoiser on the catalogue's pictures, each conditioned on its item's semantic ID.</summary>
public static class CreativeTrainer
{
    /// <param name="seed">Weights, batches, times, noise and drops follow from it.</param>
    /// <param name="progress">Stage <c>creative</c>, with <c>loss</c> and <c>learning_rate</c>.</param>
    /// <exception cref="CatalogException">Options or data are out of range; no picture; the loss stopped being finite.</exception>
    public static CreativeModel Train(CreativeTrainingData data, CreativeOptions options, long seed, IProgress<StageProgress>? progress = null, CancellationToken cancel = default)
    {
        options.Validate();
        data.Validate();
        if (data.ImageSize != options.ImageSize)
        {
            throw CatalogException.Invalid($"Pictures of side {data.ImageSize} for a model of side {options.ImageSize}: load them at the option's ImageSize.");
        }

        manual_seed(seed);
        var network = new ConditionalDenoiser(options.Recipe, data.CodebookSizes, options.ImageSize);
        try
        {
            double loss = Fit(network, data, options, seed, progress, cancel);
            network.eval();
            return new CreativeModel(network, options.Recipe, options.ImageSize, data.CodebookSizes, new TrainingRecord(options.Steps, options.BatchSize, seed, loss, data.Present.Count(p => p)));
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>The share of the peak learning rate at a step: a linear rise, then half a cosine down to 0.</summary>
    public static double Schedule(int step, int warmup, int steps) => step < warmup
        ? (step + 1.0) / warmup
        : .5 * (1 + Math.Cos(Math.PI * (step - warmup) / Math.Max(1, steps - warmup)));

    private static double Fit(ConditionalDenoiser network, CreativeTrainingData data, CreativeOptions options, long seed, IProgress<StageProgress>? progress, CancellationToken cancel)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        var batches = new TrainingBatches(data, options, network.Conditioner, generator);
        using var ema = new ExponentialMovingAverage(network, options.EmaDecay);
        var parameters = network.parameters().ToArray();
        using var optimizer = optim.AdamW(parameters, options.LearningRate, weight_decay: options.WeightDecay);
        bool bf16 = options.Bf16 && TorchRuntime.CpuHasBFloat16;

        network.Conditioner.Sketch?.Fit(data);
        network.train();
        double sum = 0, mean = double.NaN;
        int summed = 0;
        for (int step = 0; step < options.Steps; step++)
        {
            cancel.ThrowIfCancellationRequested();
            using var stepScope = NewDisposeScope();
            double rate = options.LearningRate * Schedule(step, options.WarmupSteps, options.Steps);
            foreach (var group in optimizer.ParamGroups)
            {
                group.LearningRate = rate;
            }

            double loss = Step(network, batches.Next(), bf16);
            if (!double.IsFinite(loss))
            {
                throw CatalogException.Precondition($"The creative model's loss became {loss} at step {step + 1} of {options.Steps}. Lower LearningRate (now {options.LearningRate}) or ClipNorm ({options.ClipNorm}).");
            }

            nn.utils.clip_grad_norm_(parameters, options.ClipNorm);
            optimizer.step();
            optimizer.zero_grad();
            ema.Update();

            sum += loss;
            summed++;
            if (summed == options.ReportEvery || step == options.Steps - 1)
            {
                mean = sum / summed;
                progress?.Report(new StageProgress("creative", step + 1, options.Steps, null, new Dictionary<string, double> { ["loss"] = mean, ["learning_rate"] = rate }));
                (sum, summed) = (0, 0);
            }
        }

        ema.CopyTo(); // sampling uses the average
        return mean;
    }

    private static double Step(ConditionalDenoiser network, TrainingBatch batch, bool bf16)
    {
        Tensor output;
        using (Autocast.Cpu(enabled: bf16))
        {
            output = network.Denoiser.Predict(batch.Noisy, batch.Time, network.Conditioner.Encode(batch.Conditions));
        }

        var loss = functional.mse_loss(output, batch.Target);
        loss.backward();
        return loss.item<float>();
    }
}
