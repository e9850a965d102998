namespace Recsys.Catalog.Attributes;

/// <summary>Conditions that all must hold of an answer. Equal where the conditions are, in their order.</summary>
public sealed class ItemFilter : IEquatable<ItemFilter>
{
    private readonly string _key;

    public ItemFilter(params IReadOnlyList<Condition> conditions)
    {
        Conditions = conditions;
        _key = string.Join('\n', conditions.Select(condition => condition.Key)); // JSON: no line break in any
    }

    public IReadOnlyList<Condition> Conditions { get; }

    /// <summary>A filter's conditions, and more; null where there are none at all.</summary>
    public static ItemFilter? Both(ItemFilter? filter, params IReadOnlyList<Condition> more) =>
        more.Count == 0 ? filter : new([.. filter?.Conditions ?? [], .. more]);

    public bool Equals(ItemFilter? other) => other?._key == _key;

    public override bool Equals(object? obj) => Equals(obj as ItemFilter);

    public override int GetHashCode() => _key.GetHashCode(StringComparison.Ordinal);
}
