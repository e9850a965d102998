using System.Collections.Immutable;

namespace Recsys.Catalog.Attributes;

/// <summary>
/// The texts of one attribute: each different text once, and for each item the place of its own. Immutable; a changed copy shares what
/// was there.
/// </summary>
internal sealed class AttributeColumn
{
    /// <summary>Texts that came later, until those that no item has any more are left out.</summary>
    private const int MaxAdded = 4096;

    private readonly string[] _texts; // the first empty: none
    private readonly Lazy<Dictionary<string, int>> _places; // of them, made when a value is first changed
    private readonly PagedInts _original, _of;
    private readonly ImmutableList<string> _added; // texts behind the others
    private readonly ImmutableDictionary<string, int> _addedPlaces;

    /// <param name="items">[items] texts, empty where an item has none.</param>
    public AttributeColumn(IEnumerable<string> items)
    {
        var places = new OrderedDictionary<string, int>(StringComparer.Ordinal) { [""] = 0 };
        var of = new List<int>();
        foreach (string text in items)
        {
            places.TryAdd(text, places.Count);
            of.Add(places[text]);
        }

        string[] texts = [.. places.Keys];
        (_texts, _original) = (texts, PagedInts.Of([.. of]));
        (_of, _added, _addedPlaces) = (_original, [], ImmutableDictionary.Create<string, int>(StringComparer.Ordinal));
        _places = new(() => texts.Index().ToDictionary(text => text.Item, text => text.Index, StringComparer.Ordinal));
    }

    private AttributeColumn(
        AttributeColumn before, PagedInts of, ImmutableList<string> added, ImmutableDictionary<string, int> addedPlaces)
    {
        (_texts, _places, _original) = (before._texts, before._places, before._original);
        (_of, _added, _addedPlaces) = (of, added, addedPlaces);
    }

    /// <summary>The item's text; empty where it has none.</summary>
    public string this[int item] => Text(Place(item));

    /// <summary>Which of the first <paramref name="items"/> items a condition holds of; it is judged once a text.</summary>
    public IEnumerable<bool> Passing(Condition condition, int items)
    {
        bool[] passes = [.. _texts.Concat(_added).Select(condition.Passes)];
        return Enumerable.Range(0, items).Select(item => passes[Place(item)]);
    }

    /// <summary>The same with other texts of some items.</summary>
    /// <param name="changes">A text of null is the one that the item had at first.</param>
    public AttributeColumn With(IReadOnlyCollection<(int Item, string? Text)> changes)
    {
        var of = _of.ToBuilder(Math.Max(_of.Count, changes.Max(change => change.Item) + 1));
        var (added, addedPlaces) = (_added.ToBuilder(), _addedPlaces.ToBuilder());
        foreach (var (item, text) in changes)
        {
            if (text is null)
            {
                of[item] = item < _original.Count ? _original[item] : 0;
            }
            else if (_places.Value.TryGetValue(text, out int place) || addedPlaces.TryGetValue(text, out place))
            {
                of[item] = place;
            }
            else
            {
                of[item] = addedPlaces[text] = _texts.Length + added.Count;
                added.Add(text);
            }
        }

        var changed = new AttributeColumn(this, of.Done(), added.ToImmutable(), addedPlaces.ToImmutable());
        return added.Count <= Math.Max(MaxAdded, 2 * changed._of.Count) ? changed : changed.Compact();
    }

    /// <summary>Without the texts that no item has any more.</summary>
    private AttributeColumn Compact()
    {
        var places = ImmutableDictionary.CreateBuilder<string, int>(StringComparer.Ordinal);
        var added = ImmutableList.CreateBuilder<string>();
        var of = _of.ToBuilder(_of.Count);
        for (int item = 0; item < _of.Count; item++)
        {
            if (_of[item] >= _texts.Length)
            {
                string text = this[item];
                if (!places.TryGetValue(text, out int place))
                {
                    places[text] = place = _texts.Length + added.Count;
                    added.Add(text);
                }

                of[item] = place;
            }
        }

        return new AttributeColumn(this, of.Done(), added.ToImmutable(), places.ToImmutable());
    }

    private int Place(int item) => item < _of.Count ? _of[item] : 0;

    private string Text(int place) => place < _texts.Length ? _texts[place] : _added[place - _texts.Length];
}
