using Recsys.Catalog;
using Recsys.Quantizer.Models;

namespace Recsys.Quantizer.Training;

/// <summary>
/// Trains an autoencoder with codes: a warm-up without them, a start of the codes from its latents, then ‖x − x̂‖² and what codes
/// add, by AdamW with a cosine schedule. On several ranks each takes its share of every batch; the codebooks follow the whole batch
/// on all of them alike.
/// </summary>
internal static class AutoencoderTrainer
{
    private const double WarmUpShare = 0.03; // of all steps, for the learning rate

    /// <param name="x">[n, input]</param>
    /// <param name="sizes">[levels] codes at each level.</param>
    public static Autoencoder Train(
        Tensor x, IReadOnlyList<int> sizes, QuantizerOptions options, long seed, IProgress<StageProgress>? progress, Ranks ranks,
        CancellationToken cancel)
    {
        using var generator = new Generator((ulong)seed);
        var model = Make(x, sizes, options);
        try
        {
            Initialise(model, generator);
            model.MoveTo(x.device);
            using var scope = NewDisposeScope();
            var shuffled = x.index_select(0, Order(x, generator)); // a head of the rows is a fair sample
            var standardised = Standardise(model, shuffled);
            ranks.Broadcast(model.state_dict().Values.Append(standardised));
            Run(model, standardised, options, seed, generator, progress, ranks, cancel);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private static Autoencoder Make(Tensor x, IReadOnlyList<int> sizes, QuantizerOptions options)
    {
        var (inputDim, rq) = ((int)x.shape[1], options.RqVae);
        return options.Kind switch
        {
            QuantizerKind.FiniteScalar =>
                new ScalarAutoencoder(inputDim, rq.Hidden, options.FsqValues((int)x.shape[0]), signs: false),
            QuantizerKind.LookupFree => new ScalarAutoencoder(inputDim, rq.Hidden, ScalarAutoencoder.Bits(sizes), signs: true),
            _ => new RqVae(
                inputDim, rq.Hidden, rq.LatentDim, sizes, VectorCodeTraining.FollowsGradient(rq), options.Kind == QuantizerKind.VqVae),
        };
    }

    private static void Run(
        Autoencoder model, Tensor x, QuantizerOptions options, long seed, Generator generator, IProgress<StageProgress>? progress,
        Ranks ranks, CancellationToken cancel)
    {
        var rq = options.RqVae;
        int n = (int)x.shape[0], batch = Math.Min(rq.BatchSize, n), steps = (n + batch - 1) / batch, all = rq.Epochs * steps;
        using var optimizer = new FusedAdamW(model.parameters().Where(p => p.requires_grad), rq.LearningRate, rq.WeightDecay);
        using var noise = new Generator((ulong)seed + 1);
        CodeTraining codes = model is RqVae vector
            ? new VectorCodeTraining(vector, options, seed, optimizer, noise, ranks)
            : new ScalarCodeTraining((ScalarAutoencoder)model, options);
        int warm = Math.Min(rq.WarmUpEpochs, rq.Epochs - 1), step = 0;
        for (int epoch = 0; epoch < rq.Epochs; epoch++)
        {
            if (epoch == warm)
            {
                codes.Start(x, seed, cancel);
                ranks.Broadcast(model.state_dict().Values);
            }

            using var epochScope = NewDisposeScope();
            var order = Order(x, generator); // [n]
            double sumLoss = 0;
            for (int from = 0; from < n; from += batch, step++)
            {
                cancel.ThrowIfCancellationRequested();
                using var scope = NewDisposeScope();
                optimizer.SetLearningRate(rq.LearningRate * LearningRates.WarmupCosine(step, Math.Max(1, WarmUpShare * all), all));
                var rows = x.index_select(0, order.narrow(0, from, Math.Min(batch, n - from)));
                sumLoss += Step(codes, optimizer, rows, batch, epoch >= warm ? (double)step / all : null, ranks);
            }

            if (epoch >= warm)
            {
                codes.AfterEpoch(x);
            }

            var metrics = new Dictionary<string, double> { ["reconstruction"] = ranks.Sum(sumLoss) / n };
            progress?.Report(new StageProgress(QuantizerTrainer.Stage, epoch + 1, rq.Epochs, null, metrics));
        }

        codes.Finish(x);
        ranks.Broadcast(model.state_dict().Values);
    }

    /// <param name="rows">[n, input]; each rank takes its share.</param>
    /// <param name="batch">Rows of a full batch: the few at an epoch's end take no full step.</param>
    /// <param name="done">Share of all steps that are done; null: the codes are not there yet.</param>
    /// <returns>The reconstruction loss, summed over this rank's items.</returns>
    private static double Step(CodeTraining codes, FusedAdamW optimizer, Tensor rows, int batch, double? done, Ranks ranks)
    {
        var model = codes.Model;
        model.zero_grad();
        var mine = ranks.Share(rows);
        using var precision = MixedPrecision.Scope(codes.BFloat16 ?? rows.device.HasFastBFloat16());
        var (output, penalty) = done is { } share ? codes.Pass(mine, share) : (model.Autoencode(mine), null);
        var reconstruction = functional.mse_loss(output, mine);
        var loss = penalty is null ? reconstruction : reconstruction + penalty.sum();

        // Losses are means over this rank's share. The mean over none is not a number; its gradient is 0.
        (loss * ((double)mine.shape[0] / batch)).backward();
        ranks.SumGradients(model.parameters());
        optimizer.step();
        if (done is not null)
        {
            codes.AfterStep();
        }

        return mine.shape[0] == 0 ? 0 : reconstruction.ToDouble() * mine.shape[0];
    }

    private static Tensor Standardise(Autoencoder model, Tensor x)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var mean = x.mean([0]); // [input]
        var deviation = (x - mean).pow(2).mean().sqrt().clamp_min(1e-12);
        model.Standardise(mean, (1 / deviation).reshape(1));
        return model.Standardised(x).MoveToOuterDisposeScope();
    }

    // He initialisation; TorchSharp's own takes no generator.
    private static void Initialise(Autoencoder model, Generator generator)
    {
        using var _ = no_grad();
        foreach (var (name, parameter) in model.named_parameters().Where(p => !p.name.Contains("codes", StringComparison.Ordinal)))
        {
            double bound = parameter.dim() == 1 ? 0 : Math.Sqrt(6.0 / parameter.shape[1]);
            parameter.uniform_(-bound, bound, generator);
        }
    }

    /// <returns>[n] int64, the rows of x in a random order.</returns>
    private static Tensor Order(Tensor x, Generator generator) => randperm(x.shape[0], ScalarType.Int64, generator: generator).to(x.device);
}
