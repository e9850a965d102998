namespace Recsys.Retrieval.Evaluation;

/// <summary>Which held-out interaction is asked for.</summary>
public enum EvaluationTarget
{
    /// <summary>The last interaction; the history is all before it.</summary>
    Test,

    /// <summary>The last but one; the history is the training part.</summary>
    Validation,
}

/// <summary>How a model is evaluated.</summary>
public sealed record EvaluationOptions
{
    /// <summary>Cut-offs, each 1 to 1,000.</summary>
    public int[] Ks { get; init; } = [5, 10];

    public EvaluationTarget Target { get; init; } = EvaluationTarget.Test;

    /// <summary>Also ranks with the history's items removed (S3-Rec's convention); the generative papers remove nothing.</summary>
    public bool SeenRemoved { get; init; } = true;

    /// <summary>Also computes popularity and co-occurrence on the same users.</summary>
    public bool Baselines { get; init; } = true;

    /// <summary>Also evaluates each leg of the model alone.</summary>
    public bool Legs { get; init; } = true;

    /// <summary>Users evaluated, drawn by <see cref="Seed"/>; 0: all.</summary>
    public int Users { get; init; }

    /// <summary>Users whose beam is compared with an exhaustive search (<see cref="DecoderCheck"/>), drawn by <see cref="Seed"/>, 0: all;
    /// null: nobody asks.</summary>
    public int? Exhaustive { get; init; }

    /// <summary>Users decoded at once.</summary>
    public int Batch { get; init; } = 32;

    /// <summary>Beam; 0: the model's own.</summary>
    public int Beam { get; init; }

    /// <summary>Draws the users and the bootstrap's resamples.</summary>
    public long Seed { get; init; } = 1;

    /// <exception cref="CatalogException">Every value out of its range.</exception>
    public void Validate() => Faults.ThrowIfAny("Evaluation options", faults =>
    {
        faults.Check(Ks.Length > 0 && Ks.All(k => k is >= 1 and <= 1000), "ks", $"[{string.Join(", ", Ks)}]", "cut-offs from 1 to 1000");
        faults.Range("users", Users, 0, int.MaxValue);
        faults.Range("exhaustive", Exhaustive ?? 0, 0, int.MaxValue);
        faults.Range("batch", Batch, 1, 4096);
        faults.Range("beam", Beam, 0, 1000);
    });
}
