namespace Recsys.Retrieval;

/// <summary>What the retrieval model learns from. Nothing in it may know a held-out target, save <see cref="ValidationTargets"/>.</summary>
public sealed record RetrievalTrainingData
{
    public required ItemTable Items { get; init; }

    /// <summary>The training part (<see cref="LeaveOneOut.Train"/>); item indexes of <see cref="Items"/>.</summary>
    public required SequenceSet Training { get; init; }

    /// <summary>[items] the fused feature vector of each item, where there is one; null: learned embeddings alone.</summary>
    public EmbeddingMatrix? Features { get; init; }

    /// <summary>
    /// [users] the validation target of each user of <see cref="Training"/>, -1 where there is none. Chooses the hybrid's α;
    /// weights never see it. Null: the default α.
    /// </summary>
    public int[]? ValidationTargets { get; init; }

    /// <summary>The data of a leave-one-out split.</summary>
    public static RetrievalTrainingData From(ItemTable items, LeaveOneOut split, EmbeddingMatrix? features)
    {
        var targets = new int[split.Train.Count];
        Array.Fill(targets, -1);
        foreach (int user in split.EvaluatedUsers)
        {
            targets[user] = split.ValidationTarget(user);
        }

        return new() { Items = items, Training = split.Train, Features = features, ValidationTargets = targets };
    }

    /// <summary>The items with most interactions in the training part, at most <see cref="RecommendQuery.MaxK"/>, ties by index; their
    /// counts, and behind them the count of all interactions.</summary>
    internal (long[] Items, long[] Counts) Popular()
    {
        var counts = new long[Items.Count];
        foreach (int item in Training.Items)
        {
            counts[item]++;
        }

        long[] best = [.. Enumerable.Range(0, counts.Length).Where(item => counts[item] > 0)
            .OrderByDescending(item => counts[item]).ThenBy(item => item).Take(RecommendQuery.MaxK)];
        return (best, [.. best.Select(item => counts[item]), Training.Items.Length]);
    }

    /// <exception cref="CatalogException">An item index outside the table, features of another length, nothing to learn from.</exception>
    public void Validate()
    {
        foreach (int item in Training.Items)
        {
            if ((uint)item >= (uint)Items.Count)
            {
                throw CatalogException.Invalid(
                    $"The training part names item index {item}; the table has {Items.Count} items. Build both from one dataset.");
            }
        }

        if (Features is not null && Features.Count != Items.Count)
        {
            throw CatalogException.Invalid($"Features '{Features.Name}' have {Features.Count} rows; the table has {Items.Count} items.");
        }

        if (ValidationTargets is not null && ValidationTargets.Length != Training.Count)
        {
            throw CatalogException.Invalid($"{ValidationTargets.Length} validation targets for {Training.Count} users.");
        }

        if (!Enumerable.Range(0, Training.Count).Any(user => Training[user].Length >= 2))
        {
            throw CatalogException.Invalid(
                "The training part has no user with two interactions: there is no next item to learn. Import more interactions.");
        }
    }
}
