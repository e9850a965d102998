namespace Recsys.Retrieval;

/// <summary>What the retrieval model learns from. Nothing in it may know a held-out target, save <see cref="ValidationTargets"/>.</summary>
public sealed record RetrievalTrainingData
{
    public required ItemTable Items { get; init; }

    /// <summary>The training part (<see cref="LeaveOneOut.Train"/>); item indexes of <see cref="Items"/>.</summary>
    public required SequenceSet Training { get; init; }

    /// <summary>[items] feature vectors of each item, of distinct names; none: learned embeddings alone.</summary>
    public IReadOnlyList<EmbeddingMatrix> Features { get; init; } = [];

    /// <summary>
    /// [users] the validation target of each user of <see cref="Training"/>, -1 where there is none. Chooses settings and ends trainings;
    /// weights never see it. Null: there are none.
    /// </summary>
    public int[]? ValidationTargets { get; init; }

    /// <summary>What is chosen where there are no validation targets; null: the usual values, and all legs alike.</summary>
    public RetrievalChoices? Choices { get; init; }

    /// <summary>The data of a leave-one-out split.</summary>
    public static RetrievalTrainingData From(ItemTable items, LeaveOneOut split, IReadOnlyList<EmbeddingMatrix> features)
    {
        var targets = new int[split.Train.Count];
        Array.Fill(targets, -1);
        foreach (int user in split.EvaluatedUsers)
        {
            targets[user] = split.ValidationTarget(user);
        }

        return new() { Items = items, Training = split.Train, Features = features, ValidationTargets = targets };
    }

    /// <summary>The users with a validation target and something before it; null: nobody.</summary>
    internal HeldOut? HeldOut()
    {
        int[] users = ValidationTargets is null
            ? []
            : [.. Enumerable.Range(0, Training.Count).Where(user => ValidationTargets[user] >= 0 && Training[user].Length > 0)];
        return users.Length == 0
            ? null
            : new HeldOut([.. users.Select(user => Training[user].ToArray())], [.. users.Select(user => ValidationTargets![user])])
            {
                Users = [.. users.Select(user => Training.Users[user])],
            };
    }

    /// <summary>The features that a leg reads, side by side, with a row of zeros behind them, for no item; a whole of unit mean square,
    /// whatever their sources' scales.</summary>
    /// <param name="weights"><see cref="Legs.LegOptions.FeaturesOf"/>.</param>
    /// <returns>[items + 1, dims]; null: it reads none.</returns>
    internal Tensor? PaddedFeatures(IReadOnlyDictionary<string, double> weights)
    {
        var parts = ScaledFeatures(weights);
        if (parts.Count == 0)
        {
            return null;
        }

        int dim = parts.Sum(one => one.Part.Dim);
        var padded = new float[((long)Items.Count + 1) * dim];
        int from = 0;
        foreach (var (part, factor) in parts)
        {
            for (int item = 0; item < Items.Count; item++)
            {
                for (int at = 0; at < part.Dim; at++)
                {
                    padded[((long)item * dim) + from + at] = factor * part.Data[((long)item * part.Dim) + at];
                }
            }

            from += part.Dim;
        }

        return Tensors.Copy(padded, Items.Count + 1, dim);
    }

    /// <summary>The features that a leg reads, in their order, with what their values are multiplied by.</summary>
    /// <param name="weights"><see cref="Legs.LegOptions.FeaturesOf"/>.</param>
    internal IReadOnlyList<(EmbeddingMatrix Part, float Factor)> ScaledFeatures(IReadOnlyDictionary<string, double> weights)
    {
        var parts = Features.Select(part => (Part: part, Weight: weights.GetValueOrDefault(part.Name, 1))).Where(one => one.Weight > 0)
            .ToArray();
        int dim = parts.Sum(one => one.Part.Dim);
        int present = Enumerable.Range(0, Items.Count).Count(item => parts.Any(one => one.Part.Present[item]));
        double square = parts.Sum(one => one.Weight * one.Weight * one.Part.Data.Sum(value => (double)value * value));
        double scale = square > 0 ? 1 / Math.Sqrt(square / ((double)present * dim)) : 1;
        return [.. parts.Select(one => (one.Part, (float)(scale * one.Weight)))];
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

        if (Features.FirstOrDefault(part => part.Count != Items.Count) is { } other)
        {
            throw CatalogException.Invalid($"Features '{other.Name}' have {other.Count} rows; the table has {Items.Count} items.");
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
