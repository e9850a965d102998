using System.Collections;

namespace Recsys.Catalog.Attributes;

/// <summary>
/// Named attributes of items, as filters ask for them: a column holds each of its values once, so a condition is judged once a value.
/// Immutable; safe from any thread.
/// </summary>
public sealed class ItemAttributes
{
    /// <summary>Columns, and characters (UTF-16) of a value.</summary>
    public const int MaxColumns = 64, MaxLength = 1_024;

    private readonly string[] _names;
    private readonly string[][] _values; // [columns][values], the first empty: none
    private readonly int[][] _of; // [columns][items] place among the values

    /// <param name="names">Distinct.</param>
    /// <param name="rows">[items][columns] texts, empty where an item has none.</param>
    public ItemAttributes(IReadOnlyList<string> names, IEnumerable<IReadOnlyList<string>> rows)
    {
        _names = [.. names];
        var places = names.Select(_ => new OrderedDictionary<string, int>(StringComparer.Ordinal) { [""] = 0 }).ToArray();
        var of = names.Select(_ => new List<int>()).ToArray();
        foreach (var row in rows)
        {
            for (int column = 0; column < names.Count; column++)
            {
                places[column].TryAdd(row[column], places[column].Count);
                of[column].Add(places[column][row[column]]);
            }
        }

        _values = Array.ConvertAll(places, column => column.Keys.ToArray());
        _of = Array.ConvertAll(of, column => column.ToArray());
    }

    /// <summary>Of items that have none.</summary>
    public static ItemAttributes None { get; } = new([], []);

    /// <summary>[columns]</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>Every column of a catalogue's items whose values are short enough (descriptions are not what one filters by), in the order
    /// of their names, at most <see cref="MaxColumns"/> of them.</summary>
    /// <param name="items">Gone through twice.</param>
    public static ItemAttributes Of(IEnumerable<Item> items)
    {
        var longest = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var (name, value) in items.SelectMany(item => item.Fields))
        {
            longest[name] = Math.Max(longest.GetValueOrDefault(name), value.Length);
        }

        string[] names = [.. longest.Where(column => column.Value <= MaxLength).Select(column => column.Key).Take(MaxColumns)];
        return new ItemAttributes(names, items.Select(item => Array.ConvertAll(names, name => item.Fields.GetValueOrDefault(name, ""))));
    }

    /// <summary>The item's text; empty where it has none.</summary>
    public string Value(int item, int column) => item < _of[column].Length ? _values[column][_of[column][item]] : "";

    /// <summary>The item's text of a name; empty where it has none.</summary>
    /// <exception cref="CatalogException">InvalidArgument: there is no attribute of that name.</exception>
    public string Value(int item, string name) => Value(item, Column(name));

    /// <exception cref="CatalogException">InvalidArgument: there is no attribute of one of the names.</exception>
    public void Check(IEnumerable<string> names)
    {
        foreach (string name in names)
        {
            Column(name);
        }
    }

    /// <summary>Which of the first <paramref name="items"/> items pass a filter.</summary>
    /// <exception cref="CatalogException">InvalidArgument: there is no attribute of that name.</exception>
    public BitArray Passing(ItemFilter filter, int items)
    {
        var passing = new BitArray(items, true);
        foreach (var condition in filter.Conditions)
        {
            int column = Column(condition.Attribute);
            bool[] passes = Array.ConvertAll(_values[column], condition.Passes);
            int[] of = _of[column];
            for (int item = 0; item < items; item++)
            {
                passing[item] &= passes[item < of.Length ? of[item] : 0];
            }
        }

        return passing;
    }

    private int Column(string name) => Array.IndexOf(_names, name) is var column and >= 0
        ? column
        : throw CatalogException.Invalid(
            $"This version's items have no attribute '{ItemIds.Shown(name)}'; they have: "
            + $"{(_names.Length == 0 ? "none" : string.Join(", ", _names))}.");
}
