using System.Collections;
using System.Collections.Immutable;

namespace Recsys.Catalog.Attributes;

/// <summary>
/// Named attributes of items, as filters ask for them: a column holds each of its values once, so a condition is judged once a value.
/// Immutable; what changes makes a copy that shares the rest. Safe from any thread.
/// </summary>
public sealed class ItemAttributes
{
    /// <summary>Columns, and characters (UTF-16) of a value.</summary>
    public const int MaxColumns = 64, MaxLength = 1_024;

    /// <summary>Changed items that are remembered at most.</summary>
    private const int MaxRemembered = 1 << 17;

    private readonly string[] _names;
    private readonly AttributeColumn[] _columns;
    private readonly object _origin; // what this and its copies have in common
    private readonly ImmutableList<int> _changed; // items, oldest change first
    private readonly long _forgotten; // changes before those

    /// <param name="names">Distinct.</param>
    /// <param name="rows">[items][columns] texts, empty where an item has none.</param>
    public ItemAttributes(IReadOnlyList<string> names, IEnumerable<IReadOnlyList<string>> rows)
    {
        var all = rows as IReadOnlyCollection<IReadOnlyList<string>> ?? [.. rows];
        _names = [.. names];
        _columns = [.. Enumerable.Range(0, _names.Length).Select(column => new AttributeColumn(all.Select(row => row[column])))];
        (_origin, _changed) = (new object(), []);
    }

    private ItemAttributes(
        string[] names, AttributeColumn[] columns, object origin, ImmutableList<int> changed, long forgotten) =>
        (_names, _columns, _origin, _changed, _forgotten) = (names, columns, origin, changed, forgotten);

    /// <summary>Of items that have none.</summary>
    public static ItemAttributes None => new([], []);

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

    /// <summary>The same with other texts of some items; a column that is not there yet is added.</summary>
    /// <param name="changes">In their order: of one item and name the last counts. A text of null is the one that the item had at
    /// first.</param>
    public ItemAttributes With(IReadOnlyCollection<(int Item, string Name, string? Text)> changes)
    {
        var (names, columns) = (_names.ToList(), _columns.ToList());
        foreach (var column in changes.GroupBy(change => change.Name, StringComparer.Ordinal))
        {
            int at = names.IndexOf(column.Key);
            if (at < 0 && column.All(change => change.Text is null))
            {
                continue; // nothing is taken back that is not there
            }

            if (at < 0)
            {
                at = names.Count;
                names.Add(column.Key);
                columns.Add(new AttributeColumn([]));
            }

            columns[at] = columns[at].With([.. column.Select(change => (change.Item, change.Text))]);
        }

        var changed = _changed.AddRange(changes.Select(change => change.Item).Distinct());
        int forget = Math.Max(0, changed.Count - MaxRemembered);
        return new ItemAttributes([.. names], [.. columns], _origin, changed.RemoveRange(0, forget), _forgotten + forget);
    }

    /// <summary>The items that changed since, each at least once; null where that is not known any more.</summary>
    /// <param name="before">What this was made from by <see cref="With"/>, or anything else.</param>
    public IEnumerable<int>? ChangedSince(ItemAttributes before)
    {
        long known = before._forgotten + before._changed.Count - _forgotten;
        return before._origin == _origin && known >= 0 && known <= _changed.Count 
            ? Enumerable.Range((int)known, _changed.Count - (int)known).Select(at => _changed[at])
            : null;
    }

    /// <summary>The item's text; empty where it has none.</summary>
    public string Value(int item, int column) => _columns[column][item];

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

    /// <summary>Whether an item passes a filter.</summary>
    /// <exception cref="CatalogException">InvalidArgument: there is no attribute of that name.</exception>
    public bool Passes(ItemFilter filter, int item) =>
        filter.Conditions.All(condition => condition.Passes(Value(item, condition.Attribute)));

    /// <summary>Which of the first <paramref name="items"/> items pass a filter.</summary>
    /// <exception cref="CatalogException">InvalidArgument: there is no attribute of that name.</exception>
    public BitArray Passing(ItemFilter filter, int items)
    {
        var passing = new BitArray(items, true);
        foreach (var condition in filter.Conditions)
        {
            foreach (var (item, passes) in _columns[Column(condition.Attribute)].Passing(condition, items).Index())
            {
                passing[item] &= passes;
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
