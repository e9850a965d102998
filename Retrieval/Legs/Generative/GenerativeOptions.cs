namespace Recsys.Retrieval.Legs.Generative;

/// <summary>Shape and training recipe of the leg that decodes semantic IDs.</summary>
public sealed record GenerativeOptions : LegOptions
{
    /// <summary>Adds each history item's own vector (projected features + learned embedding) to its last token.</summary>
    public bool DenseInputs { get; init; } = true;

    /// <summary>Share of dense vectors hidden in training, so that an appended item, which has none, is nothing new to the model.</summary>
    public double DenseDropout { get; init; } = 0.1;

    public override void Check(Faults faults, string leg)
    {
        base.Check(faults, leg);
        faults.Check(DenseDropout is >= 0 and < 1, $"{leg}.dense_dropout", DenseDropout, "0 to below 1");
    }
}
