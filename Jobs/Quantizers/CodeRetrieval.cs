using Recsys.Catalog;
using Recsys.Datasets;
using Recsys.Retrieval;
using Recsys.Retrieval.Evaluation;
using Recsys.Retrieval.Legs.Generative;
using Recsys.Retrieval.Training;

namespace Recsys.Jobs.Quantizers;

/// <summary>
/// What semantic IDs are worth to a retrieval model: a small generative one that knows items by their codes alone, trained for a fixed
/// number of steps and asked for validation targets. Test targets choose no quantizer.
/// </summary>
/// <param name="steps">Optimiser steps.</param>
/// <param name="users">Users asked, drawn by the seed.</param>
public sealed class CodeRetrieval(Dataset dataset, int steps, int users, long seed, string device, CancellationToken cancel)
{
    private readonly LeaveOneOut _split = new(dataset.Sequences);

    /// <summary>Recall@10, item level, nothing removed.</summary>
    /// <param name="ids">[items]</param>
    /// <param name="sizes">[levels] of their codebook.</param>
    /// <exception cref="CatalogException">The dataset has too few interactions.</exception>
    public double Recall(SemanticId[] ids, IReadOnlyList<int> sizes)
    {
        if (_split.EvaluatedUsers.Length == 0)
        {
            throw new CatalogException(
                Fault.NotFound,
                $"Dataset '{dataset.Name}' has no user with three interactions, so there is no target to ask for. Leave "
                + "--retrieval-steps out.");
        }

        var items = new ItemTable(dataset.ItemIds, ids, [.. ids.Select(_ => "")], sizes);
        var options = new RetrievalOptions
        {
            Transitions = null,
            Id = null,
            Content = null,
            Generative = new GenerativeOptions { Layers = 2, DenseInputs = false, Epochs = 100_000, MinSteps = steps, MaxSteps = steps },
            Open = false,
        };
        var data = new RetrievalTrainingData { Items = items, Training = _split.Train };
        using var recommender = new Recommender(
            RetrievalTrainer.Train(data, options, seed, device: device, cancel: cancel), items); // owns the model
        var report = RetrievalEvaluator.Evaluate(
            recommender, _split,
            new EvaluationOptions
            {
                Target = EvaluationTarget.Validation, Users = users, SeenRemoved = false, Legs = false, Baselines = false, Seed = seed,
            },
            null, cancel);
        return report.ItemLevel.NothingRemoved["recall@10"];
    }
}
