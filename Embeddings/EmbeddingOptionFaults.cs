using Recsys.Catalog;

namespace Recsys.Embeddings;

internal static class EmbeddingOptionFaults
{
    /// <summary>Throws one error that lists every fault; nothing when there is none.</summary>
    public static void Throw(IEnumerable<string> faults)
    {
        string all = string.Join("; ", faults);
        if (all.Length > 0)
        {
            throw CatalogException.Invalid($"Embedding options out of range: {all}.");
        }
    }

    public static IEnumerable<string> OutOfRange(params (string Name, double Value, double Min, double Max)[] options) => options
        .Where(o => !(o.Value >= o.Min && o.Value <= o.Max))
        .Select(o => FormattableString.Invariant($"{o.Name} is {o.Value}; allowed: {o.Min} to {o.Max}"));

    public static IEnumerable<string> NoneOf(string name, string value, params string[] allowed) => allowed.Contains(value)
        ? []
        : [$"{name} is {value}; allowed: {string.Join(", ", allowed)}"];
}
