using System.Collections;
using System.Collections.Immutable;
using Recsys.Catalog.Attributes;

namespace Recsys.Catalog;

/// <summary>
/// The item table of one version: dense item index ↔ item id ↔ semantic ID. Immutable; appended items give a new table that keeps
/// every index and shares what was there, so that appending costs time for the appended items alone. Safe to read from any thread.
/// </summary>
public sealed class ItemTable
{
    private readonly Dictionary<string, int> _byId;
    private readonly Dictionary<SemanticId, int> _bySemanticId;
    private readonly Appendix _appended;

    /// <param name="ids">Item ids by index; distinct.</param>
    /// <param name="semanticIds">By index; distinct, all of <paramref name="codebookSizes"/>'s levels.</param>
    /// <param name="titles">By index; may hold empty strings.</param>
    /// <param name="codebookSizes">Codes at each level.</param>
    /// <param name="attributes">Of the same items; null: they have none.</param>
    /// <exception cref="CatalogException">Two items share an id or a semantic ID, or a code is out of its codebook.</exception>
    public ItemTable(
        IReadOnlyList<string> ids, IReadOnlyList<SemanticId> semanticIds, IReadOnlyList<string> titles, IReadOnlyList<int> codebookSizes,
        ItemAttributes? attributes = null)
    {
        if (ids.Count != semanticIds.Count || ids.Count != titles.Count)
        {
            throw CatalogException.Invalid(
                $"An item table needs as many semantic IDs ({semanticIds.Count}) and titles ({titles.Count}) as ids ({ids.Count}).");
        }

        (Ids, SemanticIds, Titles, CodebookSizes, _appended) = (ids, semanticIds, titles, codebookSizes, Appendix.Empty);
        Attributes = attributes ?? ItemAttributes.None;
        _byId = new Dictionary<string, int>(ids.Count, StringComparer.Ordinal);
        _bySemanticId = new Dictionary<SemanticId, int>(ids.Count);
        for (int item = 0; item < ids.Count; item++)
        {
            CheckCodes(ids[item], semanticIds[item]);
            if (!_byId.TryAdd(ids[item], item))
            {
                throw CatalogException.Invalid($"Item id '{ids[item]}' appears twice.");
            }

            if (!_bySemanticId.TryAdd(semanticIds[item], item))
            {
                throw Shared(ids[_bySemanticId[semanticIds[item]]], ids[item], semanticIds[item]);
            }
        }
    }

    private ItemTable(ItemTable table, Appendix appended, ItemAttributes attributes)
    {
        (_byId, _bySemanticId, _appended, CodebookSizes) = (table._byId, table._bySemanticId, appended, table.CodebookSizes);
        Attributes = attributes;
        Ids = new Joined<string>(Base(table.Ids), appended.Ids);
        SemanticIds = new Joined<SemanticId>(Base(table.SemanticIds), appended.SemanticIds);
        Titles = new Joined<string>(Base(table.Titles), appended.Titles);
    }

    public int Count => BaseCount + _appended.Ids.Count;

    /// <summary>Items that the table was made with; those behind them were appended.</summary>
    public int BaseCount => _byId.Count;

    /// <summary>[Count] item ids.</summary>
    public IReadOnlyList<string> Ids { get; }

    /// <summary>[Count]</summary>
    public IReadOnlyList<SemanticId> SemanticIds { get; }

    /// <summary>[Count]; empty where unknown.</summary>
    public IReadOnlyList<string> Titles { get; }

    /// <summary>What an appended item was brought with for models to rank it by; empty: nothing, or the table was made with it.</summary>
    public ReadOnlyMemory<float> VectorOf(int item) => item < BaseCount ? default : _appended.Vectors[item - BaseCount];

    /// <summary>Those of appended items are changes too.</summary>
    public ItemAttributes Attributes { get; }

    /// <summary>[levels] codes at each level.</summary>
    public IReadOnlyList<int> CodebookSizes { get; }

    public int Levels => CodebookSizes.Count;

    /// <summary>Largest collision token in the table.</summary>
    public int MaxCollision => SemanticIds.Select(id => (int)id.Collision).DefaultIfEmpty().Max();

    public bool TryIndex(string itemId, out int item) =>
        _byId.TryGetValue(itemId, out item) || _appended.ById.TryGetValue(itemId, out item);

    public bool TryIndex(SemanticId id, out int item) =>
        _bySemanticId.TryGetValue(id, out item) || _appended.BySemanticId.TryGetValue(id, out item);

    /// <summary>The item's index.</summary>
    /// <exception cref="CatalogException">Unknown item.</exception>
    public int IndexOf(string itemId) => TryIndex(itemId, out int item)
        ? item
        : throw CatalogException.NotFound(
            $"Item '{ItemIds.Shown(itemId)}' is not in this version's catalogue of {Count} items. Bring it with its embeddings "
            + "(Items.Upsert, Quantizer.Assign), or rebuild with a dataset that has it.");

    /// <summary>A history as item indexes, in its order, and the ids that the table does not have, each once.</summary>
    public (IReadOnlyList<int> Items, IReadOnlyList<string> Unknown) Known(IEnumerable<string> history)
    {
        var (known, unknown) = (new List<int>(), new OrderedDictionary<string, bool>(StringComparer.Ordinal));
        foreach (string id in history)
        {
            if (TryIndex(id, out int item))
            {
                known.Add(item);
            }
            else
            {
                unknown.TryAdd(id, true);
            }
        }

        return (known, [.. unknown.Keys]);
    }

    /// <summary>The same table with items appended behind it; items that it has already are passed over.</summary>
    /// <exception cref="CatalogException">An appended item has another's semantic ID, or a code out of its codebook.</exception>
    public ItemTable Append(IEnumerable<AppendedItem> appended)
    {
        var (byId, bySemanticId) = (_appended.ById.ToBuilder(), _appended.BySemanticId.ToBuilder());
        var fresh = new List<AppendedItem>();
        foreach (var item in appended)
        {
            int index = Count + fresh.Count;
            if (_byId.ContainsKey(item.ItemId) || byId.ContainsKey(item.ItemId))
            {
                continue;
            }

            CheckCodes(item.ItemId, item.SemanticId);
            if (_bySemanticId.TryGetValue(item.SemanticId, out int other) || bySemanticId.TryGetValue(item.SemanticId, out other))
            {
                throw Shared(other < Count ? Ids[other] : fresh[other - Count].ItemId, item.ItemId, item.SemanticId);
            }

            (byId[item.ItemId], bySemanticId[item.SemanticId]) = (index, index);
            fresh.Add(item);
        }

        return fresh.Count == 0 ? this : new ItemTable(this, new Appendix(
            _appended.Ids.AddRange(fresh.Select(item => item.ItemId)),
            _appended.SemanticIds.AddRange(fresh.Select(item => item.SemanticId)),
            _appended.Titles.AddRange(fresh.Select(item => item.Title)),
            _appended.Vectors.AddRange(fresh.Select(item => item.Vector)),
            byId.ToImmutable(),
            bySemanticId.ToImmutable()), Attributes);
    }

    /// <summary>The same items with other attributes; values of items that the table does not have are passed over.</summary>
    /// <param name="values">In their order: of one item and attribute the last counts.</param>
    public ItemTable With(IEnumerable<LiveValue> values)
    {
        var changes = new List<(int Item, string Name, string? Text)>();
        foreach (var value in values)
        {
            if (TryIndex(value.ItemId, out int item))
            {
                changes.Add((item, value.Attribute, value.Text));
            }
        }

        return changes.Count == 0 ? this : new ItemTable(this, _appended, Attributes.With(changes));
    }

    private void CheckCodes(string item, SemanticId id)
    {
        if (id.Levels != Levels)
        {
            throw CatalogException.Invalid($"Item '{item}' has a semantic ID of {id.Levels} levels; the codebook has {Levels}.");
        }

        for (int level = 0; level < Levels; level++)
        {
            if (id[level] >= CodebookSizes[level])
            {
                throw CatalogException.Invalid(
                    $"Item '{item}': code {id[level]} at level {level}; the codebook has {CodebookSizes[level]}.");
            }
        }
    }

    private static CatalogException Shared(string first, string second, SemanticId id) =>
        CatalogException.Invalid($"Items '{first}' and '{second}' share the semantic ID {id}.");

    private static IReadOnlyList<T> Base<T>(IReadOnlyList<T> list) => list is Joined<T> joined ? joined.First : list;

    /// <summary>The items behind the base; each change shares all but a few nodes of its trees with what was before.</summary>
    private sealed record Appendix(
        ImmutableList<string> Ids, ImmutableList<SemanticId> SemanticIds, ImmutableList<string> Titles,
        ImmutableList<ReadOnlyMemory<float>> Vectors, ImmutableDictionary<string, int> ById,
        ImmutableDictionary<SemanticId, int> BySemanticId)
    {
        public static readonly Appendix Empty =
            new([], [], [], [], ImmutableDictionary.Create<string, int>(StringComparer.Ordinal),
                ImmutableDictionary<SemanticId, int>.Empty);
    }

    private sealed class Joined<T>(IReadOnlyList<T> first, ImmutableList<T> then) : IReadOnlyList<T>
    {
        public IReadOnlyList<T> First => first;

        public int Count => first.Count + then.Count;

        public T this[int index] => index < first.Count ? first[index] : then[index - first.Count];

        public IEnumerator<T> GetEnumerator() => first.Concat(then).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}

/// <summary>An item that got its semantic ID after its version was built.</summary>
public sealed record AppendedItem(string ItemId, SemanticId SemanticId, string Title)
{
    /// <summary>What its version's models rank it by, as the part of the version that made it (<see cref="Ports.IItemVectors"/>) has it;
    /// empty: its codes alone.</summary>
    public ReadOnlyMemory<float> Vector { get; init; }
}
