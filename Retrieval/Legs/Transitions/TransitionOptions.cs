namespace Recsys.Retrieval.Legs.Transitions;

/// <summary>
/// How transitions are counted and read. Each null is chosen on validation targets by <see cref="TransitionSearch"/>; without such
/// targets it is what suits most shops (<see cref="TransitionReading.Usual"/>).
/// </summary>
public sealed record TransitionOptions
{
    /// <summary>Interactions after an item that are counted as following it, 1 to 1,000.</summary>
    public int? Window { get; init; }

    /// <summary>An item that follows at distance d counts d to minus this, 0 to 4.</summary>
    public double? DistancePower { get; init; }

    /// <summary>Evidence of a count c is ln(1 + this · c), above 0 to 1,000.</summary>
    public double? EvidenceScale { get; init; }

    /// <summary>Weight of an item of the history over that of the one after it, above 0 to 1.</summary>
    public double? Recency { get; init; }

    /// <summary>Weight of ln(1 + interactions of an item) in its score, -2 to 2.</summary>
    public double? Popularity { get; init; }

    /// <summary>Most recent items that are read, 1 to 512.</summary>
    public int History { get; init; } = 20;

    /// <summary>Followers kept of each item, those of most evidence, 1 to 1,000,000.</summary>
    public int MaxFollowers { get; init; } = 2000;

    /// <summary>Notes every value that is out of its range.</summary>
    /// <param name="leg">The leg's key in the JSON.</param>
    public void Check(Faults faults, string leg)
    {
        var usual = TransitionReading.Usual;
        faults.Range($"{leg}.window", Window ?? usual.Window, 1, 1000);
        faults.Range($"{leg}.distance_power", DistancePower ?? usual.DistancePower, 0, 4);
        faults.Range($"{leg}.evidence_scale", EvidenceScale ?? usual.EvidenceScale, 1e-6, 1000);
        faults.Range($"{leg}.recency", Recency ?? usual.Recency, 1e-6, 1);
        faults.Range($"{leg}.popularity", Popularity ?? usual.Popularity, -2, 2);
        faults.Range($"{leg}.history", History, 1, 512);
        faults.Range($"{leg}.max_followers", MaxFollowers, 1, 1_000_000);
    }
}

/// <summary>The values of a leg, as <see cref="TransitionOptions"/> names them; all of them are set.</summary>
public sealed record TransitionReading(int Window, double DistancePower, double EvidenceScale, double Recency, double Popularity)
{
    public static readonly TransitionReading Usual = new(10, 0.5, 1, 0.6, 0);
}
