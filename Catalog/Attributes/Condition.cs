using System.Globalization;
using System.Text.Json;

namespace Recsys.Catalog.Attributes;

/// <summary>What an answer's attribute must be.</summary>
/// <param name="Attribute">Its name.</param>
public abstract record Condition(string Attribute)
{
    /// <summary>Whether an item with this value passes; empty: the item has none.</summary>
    public abstract bool Passes(string value);

    /// <summary>The condition as a text that no other has.</summary>
    internal abstract string Key { get; }

    private protected string KeyOf(string test, params object?[] operands) =>
        JsonSerializer.Serialize(operands.Prepend(test).Prepend(Attribute));
}

/// <summary>One of the item's values is one of these, or below one of them.</summary>
public sealed record AnyOf(string Attribute, IReadOnlyList<string> Values) : Condition(Attribute)
{
    private readonly HashSet<string> _wanted = new(Values, StringComparer.Ordinal);

    public override bool Passes(string value) => AttributeValues.Of(value).Any(_wanted.Contains);

    internal override string Key => KeyOf("any", [.. Values]);
}

/// <summary>None of the item's values is one of these, or below one of them; an item without a value passes.</summary>
public sealed record NoneOf(string Attribute, IReadOnlyList<string> Values) : Condition(Attribute)
{
    private readonly HashSet<string> _refused = new(Values, StringComparer.Ordinal);

    public override bool Passes(string value) => !AttributeValues.Of(value).Any(_refused.Contains);

    internal override string Key => KeyOf("none", [.. Values]);
}

/// <summary>The item's value is a number within bounds, both included.</summary>
/// <param name="Min">Null: none.</param>
/// <param name="Max">Null: none.</param>
public sealed record NumberRange(string Attribute, double? Min, double? Max) : Condition(Attribute)
{
    public override bool Passes(string value) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && !double.IsNaN(number)
        && !(number < Min) && !(number > Max);

    internal override string Key => string.Create(CultureInfo.InvariantCulture, $"{KeyOf("number")} {Min:R} to {Max:R}"); // JSON has no ∞
}

/// <summary>The item's value is an ISO 8601 date within bounds; without an offset it is in UTC.</summary>
/// <param name="From">The first moment that passes; null: any.</param>
/// <param name="Until">The first that does not any more; null: none.</param>
public sealed record TimeRange(string Attribute, DateTimeOffset? From, DateTimeOffset? Until) : Condition(Attribute)
{
    public override bool Passes(string value) =>
        AttributeValues.TryTime(value, out var time) && !(time < From) && !(time >= Until);

    internal override string Key => KeyOf("time", From, Until);
}

/// <summary>Another condition does not hold.</summary>
public sealed record Unless(Condition Other) : Condition(Other.Attribute)
{
    public override bool Passes(string value) => !Other.Passes(value);

    internal override string Key => $"not {Other.Key}";
}

/// <summary>The item's whole text is none of these; an item without one passes.</summary>
public sealed record NotText(string Attribute, IReadOnlyList<string> Texts) : Condition(Attribute)
{
    private readonly HashSet<string> _refused = new(Texts, StringComparer.Ordinal);

    public override bool Passes(string value) => !_refused.Contains(value);

    internal override string Key => KeyOf("not text", [.. Texts]);
}
