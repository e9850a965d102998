namespace Recsys.Retrieval.Training;

/// <summary>What all legs of one training have in common.</summary>
/// <param name="Held">Validation targets; null: a leg trains to its last step.</param>
/// <param name="Checkpoint">Where a leg keeps its state; null: nowhere.</param>
/// <param name="StandIns">For items without a training interaction; null: there are none.</param>
internal sealed record LegContext(
    RetrievalTrainingData Data, HeldOut? Held, long Seed, Device Device, Ranks Ranks, IProgress<StageProgress>? Progress,
    CheckpointPlace? Checkpoint, StandIns? StandIns, CancellationToken Cancel)
{
    private const int ReportEvery = 20;

    /// <summary>By leg, the share of all steps after which it was best.</summary>
    public Dictionary<string, double> BestAt { get; } = [];

    /// <summary>Trains one leg, or goes on where a checkpoint of this very training was left; one that had ended is taken as it
    /// is.</summary>
    /// <param name="leg">The stage's name; metrics <c>loss</c> (nats an item), <c>learning_rate</c>, and <paramref name="metric"/>.</param>
    /// <param name="users">That a look asks for: as many as the metric needs to tell one look from the next.</param>
    /// <param name="look">What the weights reach on such users, the larger the better.</param>
    public void Train(LegTraining training, string leg, object options, string metric, int users, Func<HeldOut, double> look)
    {
        var asked = Held?.Draw(users, Seed);
        var checkpoint = Checkpoint is null
            ? null
            : new TrainingCheckpoint(Path.ChangeExtension(Checkpoint.Path, $".{leg}.safetensors"), Checkpoint.Every, Ranks);
        string identity = checkpoint is null ? "" : Identity(leg, options);
        if (checkpoint is not null)
        {
            training.Restore(checkpoint, identity);
            if (checkpoint.Unfit is { } why)
            {
                Progress?.Report(new StageProgress(leg, 0, training.Total, $"begins anew: {why}"));
            }
        }

        if (Data.Choices?.BestAt?.GetValueOrDefault(leg) is > 0 and var best)
        {
            training.EndAt(best);
        }

        while (!training.Done)
        {
            Cancel.ThrowIfCancellationRequested();
            var metrics = training.Advance();
            bool looked = training.LookDue;
            if (looked)
            {
                // One rank judges for all: machines that round otherwise must not part here.
                double score = asked is null ? double.NaN : Ranks.Sum(Ranks.First ? look(asked) : 0.0);
                training.Judge(score);
                if (!double.IsNaN(score))
                {
                    metrics[metric] = score;
                }
            }

            if (looked || training.Step % ReportEvery == 0)
            {
                Progress?.Report(new StageProgress(leg, training.Step, training.Total, null, metrics));
            }

            if (checkpoint is not null && (checkpoint.Due || training.Done))
            {
                training.Save(checkpoint, identity);
                FaultPoints.Pass("retrieval/checkpoint");
            }
        }

        training.Finish();
        BestAt[leg] = training.BestAt;
    }

    private string Identity(string leg, object options)
    {
        using var identity = new TrainingIdentity();
        var settings = new { leg, options, Seed, Data.Choices?.BestAt, sizes = Data.Items.CodebookSizes };
        identity.Add(System.Text.Json.JsonSerializer.Serialize(settings, Json.Files))
            .Add(string.Join(' ', Data.Items.SemanticIds)).Add<int>(Data.Training.Offsets).Add<int>(Data.Training.Items)
            .Add<int>(Held?.Targets);
        foreach (var part in Data.Features)
        {
            identity.Add(part.Name).Add<float>(part.Data);
        }

        return identity.ToString();
    }
}
