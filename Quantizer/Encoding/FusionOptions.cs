using Recsys.Catalog;

namespace Recsys.Quantizer.Encoding;

/// <summary>How named embeddings are put together.</summary>
public sealed record FusionOptions
{
    /// <summary>Weight by name, above 0 to 1,000; names that are not listed have <see cref="OtherWeight"/>.</summary>
    public IReadOnlyDictionary<string, double> Weights { get; init; }
        = new Dictionary<string, double> { ["text"] = 1, ["collaborative"] = 0.7, ["image"] = 0.5 };

    /// <summary>Weight of every other embedding: the owner's own.</summary>
    public double OtherWeight { get; init; } = 1;

    /// <summary>Embeddings whose length means something (principal components of pixels) and is kept; all others are scaled to unit length,
    /// item by item.</summary>
    public IReadOnlyList<string> KeepLength { get; init; } = ["image"];

    public double WeightOf(string name) => Weights.TryGetValue(name, out double weight) ? weight : OtherWeight;

    internal void Check(Faults faults)
    {
        foreach (var (name, weight) in Weights.Append(KeyValuePair.Create("*", OtherWeight)))
        {
            faults.Check(weight is > 0 and <= 1000, $"quantizer.fusion.weights[{name}]", weight, "above 0 to 1000");
        }
    }
}
