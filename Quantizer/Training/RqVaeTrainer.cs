using Recsys.Catalog;
using Recsys.Quantizer.Models;

namespace Recsys.Quantizer.Training;

/// <summary>
/// Trains an RQ-VAE: a warm-up of the bare autoencoder, k-means of its latents as first codes, then
/// ‖x − x̂‖² + β‖r − sg(e)‖² (+ ‖sg(r) − e‖² where codes follow the gradient) by AdamW with a cosine schedule.
/// On several ranks each takes its share of every batch; the codebooks follow the whole batch on all of them alike.
/// </summary>
internal static class RqVaeTrainer
{
    private const double WarmUpShare = 0.03; // of all steps, for the learning rate

    /// <param name="x">[n, input]</param>
    public static RqVae Train(
        Tensor x, IReadOnlyList<int> sizes, QuantizerOptions options, long seed, IProgress<StageProgress>? progress, Ranks ranks,
        CancellationToken cancel)
    {
        var rq = options.RqVae;
        using var generator = new Generator((ulong)seed);
        var model = new RqVae((int)x.shape[1], rq.Hidden, rq.LatentDim, sizes, rq.CodebookUpdate == CodebookUpdate.Gradient);
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

    private static void Run(
        RqVae model, Tensor x, QuantizerOptions options, long seed, Generator generator, IProgress<StageProgress>? progress, Ranks ranks,
        CancellationToken cancel)
    {
        var rq = options.RqVae;
        int n = (int)x.shape[0], batch = Math.Min(rq.BatchSize, n), steps = (n + batch - 1) / batch;
        using var optimizer = new FusedAdamW(model.parameters().Where(p => p.requires_grad), rq.LearningRate, rq.WeightDecay);
        var codebooks = new CodebookFollower(
            model.Codebooks, options, new Random(Seeds.ToInt32(seed)),
            rq.CodebookUpdate == CodebookUpdate.Gradient ? optimizer : null, ranks);
        int warm = Math.Min(rq.WarmUpEpochs, rq.Epochs - 1), step = 0;
        for (int epoch = 0; epoch < rq.Epochs; epoch++)
        {
            if (epoch == warm)
            {
                codebooks.Start(model, x, seed, cancel);
            }

            using var epochScope = NewDisposeScope();
            var order = Order(x, generator); // [n]
            double sumLoss = 0;
            for (int from = 0; from < n; from += batch, step++)
            {
                cancel.ThrowIfCancellationRequested();
                using var scope = NewDisposeScope();
                int all = rq.Epochs * steps;
                optimizer.SetLearningRate(rq.LearningRate * LearningRates.WarmupCosine(step, Math.Max(1, WarmUpShare * all), all));
                var rows = x.index_select(0, order.narrow(0, from, Math.Min(batch, n - from)));
                sumLoss += Step(model, optimizer, rows, batch, epoch < warm ? null : codebooks, rq, ranks);
            }

            if (epoch >= warm)
            {
                codebooks.Balance(model, x);
            }

            double mean = ranks.Sum(sumLoss) / n;
            progress?.Report(
                new StageProgress(
                    QuantizerTrainer.Stage, epoch + 1, rq.Epochs, null, new Dictionary<string,
                    double> { ["reconstruction"] = mean }));
        }
    }

    /// <param name="rows">[n, input]; each rank takes its share.</param>
    /// <param name="batch">Rows of a full batch: the few at an epoch's end take no full step.</param>
    /// <returns>The reconstruction loss, summed over this rank's items.</returns>
    private static double Step(
        RqVae model, FusedAdamW optimizer, Tensor rows, int batch, CodebookFollower? codebooks, RqVaeOptions rq, Ranks ranks)
    {
        model.zero_grad();
        var mine = ranks.Share(rows);
        var pass = codebooks is null ? null : model.Pass(mine);
        var reconstruction = functional.mse_loss(pass?.Reconstruction ?? model.Autoencode(mine), mine);
        var loss = pass is null ? reconstruction : reconstruction + (pass.CommitmentLoss * rq.CommitmentWeight).sum();
        if (pass is not null && rq.CodebookUpdate == CodebookUpdate.Gradient)
        {
            loss = loss + pass.CodebookLoss.sum();
        }

        // Losses are means over this rank's share. The mean over none is not a number; its gradient is 0.
        (loss * ((double)mine.shape[0] / batch)).backward();
        ranks.SumGradients(model.parameters());
        optimizer.step();
        if (pass is not null)
        {
            codebooks!.Follow(pass);
        }

        return mine.shape[0] == 0 ? 0 : reconstruction.ToDouble() * mine.shape[0];
    }

    private static Tensor Standardise(RqVae model, Tensor x)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var mean = x.mean([0]); // [input]
        var deviation = (x - mean).pow(2).mean().sqrt().clamp_min(1e-12);
        model.Standardise(mean, (1 / deviation).reshape(1));
        return model.Standardised(x).MoveToOuterDisposeScope();
    }

    // He initialisation; TorchSharp's own takes no generator.
    private static void Initialise(RqVae model, Generator generator)
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
