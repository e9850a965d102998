using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Training;

/// <summary>Trains the retrieval model: every position of every window at once, cross-entropy, AdamW. One seed, one model (on a
/// CPU).</summary>
public static class RetrievalTrainer
{
    private const int ReportEvery = 20;

    /// <param name="progress">Stage <c>retrieval</c>; metrics <c>loss</c> (nats an item, −log P of its tokens), <c>dense_loss</c>,
    /// <c>learning_rate</c>.</param>
    /// <param name="checkpoint">Where the training's state is kept; one that was stopped goes on from there and gives the same
    /// model.</param>
    /// <param name="device">Where to train, and where the model stays: cpu, cuda or cuda:N.</param>
    /// <param name="ranks">The processes that train together; null: this one alone. Only the first one's model has its α.</param>
    /// <exception cref="CatalogException">Options or data out of range.</exception>
    /// <exception cref="OperationCanceledException">Cancelled between two steps.</exception>
    public static RetrievalModel Train(
        RetrievalTrainingData data, RetrievalOptions options, long seed, IProgress<StageProgress>? progress = null,
        CheckpointPlace? checkpoint = null, string device = "cpu", Ranks? ranks = null, CancellationToken cancel = default)
    {
        ranks ??= Ranks.Alone;
        options.Validate();
        data.Validate();
        // A position that no training window reaches would stay random: never read more items than the longest window taught.
        int longest = Enumerable.Range(0, data.Training.Count).Max(user => data.Training[user].Length);
        options = options with { History = Math.Min(options.History, longest - 1) };
        var place = Devices.Of(device);
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        var layout = TokenLayout.For(data.Items);
        var network = new DecoderOnly(layout, options, generator);
        try
        {
            using var vectors = options.DenseInputs || options.DenseLoss > 0
                ? new ItemVectors(data.Items.Count, options.Dim, Features(data), generator)
                : null;
            network.MoveTo(place);
            vectors?.MoveTo(place);
            Run(network, vectors, layout, data, options, seed, place, progress, checkpoint, ranks, cancel);
            using var _ = no_grad();
            var table = vectors?.Table().detach().clone().DetachFromDisposeScope();
            var config = new RetrievalConfig(
                RetrievalConfig.CurrentFormat, options, [.. data.Items.CodebookSizes], layout.CollisionTokens, data.Items.Count,
                options.Alpha ?? (network.HasDenseHead ? 0.5 : 1), seed);
            var model = new RetrievalModel(config, network, table, data.Popular());
            return ranks.First && network.HasDenseHead && options.Alpha is null && data.ValidationTargets is not null
                ? AlphaSearch.Choose(model, data, seed, cancel)
                : model;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private static void Run(
        DecoderOnly network, ItemVectors? vectors, TokenLayout layout, RetrievalTrainingData data, RetrievalOptions options, long seed,
        Device device, IProgress<StageProgress>? progress, CheckpointPlace? place, Ranks ranks, CancellationToken cancel)
    {
        using var loop = new TrainingLoop(network, vectors, layout, data, options, seed, device, ranks);
        var checkpoint = place is null ? null : new TrainingCheckpoint(place.Path, place.Every, ranks);
        string identity = checkpoint is null ? "" : Identity(data, options, seed);
        if (checkpoint is not null)
        {
            loop.Restore(checkpoint, identity);
        }

        while (loop.Step < loop.Total)
        {
            cancel.ThrowIfCancellationRequested();
            var losses = loop.Advance();
            if (loop.Step % ReportEvery == 0 || loop.Step == loop.Total)
            {
                progress?.Report(new StageProgress(RetrievalModel.PartName, loop.Step, loop.Total, null, losses));
            }

            if (checkpoint is { Due: true } && loop.Step < loop.Total)
            {
                loop.Save(checkpoint, identity);
                FaultPoints.Pass("retrieval/checkpoint");
            }
        }

        loop.Finish();
    }

    private static string Identity(RetrievalTrainingData data, RetrievalOptions options, long seed)
    {
        using var identity = new TrainingIdentity();
        identity.Add(System.Text.Json.JsonSerializer.Serialize(new { options, seed, sizes = data.Items.CodebookSizes }, Json.Files))
            .Add(string.Join(' ', data.Items.SemanticIds)).Add<int>(data.Training.Offsets).Add<int>(data.Training.Items)
            .Add<float>(data.Features?.Data);
        return identity.ToString();
    }

    /// <summary>Features with a row of zeros behind them, for no item; a whole of unit mean square, whatever their source's
    /// scale.</summary>
    private static Tensor? Features(RetrievalTrainingData data)
    {
        if (data.Features is not { } features)
        {
            return null;
        }

        double square = features.Data.Sum(value => (double)value * value) / Math.Max(
            1, features.Present.Count(present => present) * features.Dim);
        float scale = square > 0 ? (float)(1 / Math.Sqrt(square)) : 1;
        var padded = new float[features.Data.Length + features.Dim];
        for (int i = 0; i < features.Data.Length; i++)
        {
            padded[i] = features.Data[i] * scale;
        }

        return Tensors.Copy(padded, features.Count + 1, features.Dim);
    }
}
