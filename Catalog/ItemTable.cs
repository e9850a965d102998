namespace Recsys.Catalog;

/// <summary>
/// The item table of one version: dense item index ↔ item id ↔ semantic ID. Immutable; appended items give a new table
/// that keeps every index. Safe to read from any thread.
/// </summary>
public sealed class ItemTable
{
    private readonly Dictionary<string, int> _byId;
    private readonly Dictionary<SemanticId, int> _bySemanticId;

    /// <param name="ids">Item ids by index; distinct.</param>
    /// <param name="semanticIds">By index; distinct, all of <paramref name="levels"/> levels.</param>
    /// <param name="titles">By index; may hold empty strings.</param>
    /// <param name="codebookSizes">Codes at each level.</param>
    /// <exception cref="CatalogException">Two items share an id or a semantic ID, or a code is out of its codebook.</exception>
    public ItemTable(
        IReadOnlyList<string> ids, IReadOnlyList<SemanticId> semanticIds, IReadOnlyList<string> titles, IReadOnlyList<int> codebookSizes)
    {
        if (ids.Count != semanticIds.Count || ids.Count != titles.Count)
        {
            throw CatalogException.Invalid(
                $"An item table needs as many semantic IDs ({semanticIds.Count}) and titles ({titles.Count}) as ids ({ids.Count}).");
        }

        _byId = new Dictionary<string, int>(ids.Count, StringComparer.Ordinal);
        _bySemanticId = new Dictionary<SemanticId, int>(ids.Count);
        for (int item = 0; item < ids.Count; item++)
        {
            var id = semanticIds[item];
            if (id.Levels != codebookSizes.Count)
            {
                throw CatalogException.Invalid(
                    $"Item '{ids[item]}' has a semantic ID of {id.Levels} levels; the codebook has {codebookSizes.Count}.");
            }

            for (int level = 0; level < id.Levels; level++)
            {
                if (id[level] >= codebookSizes[level])
                {
                    throw CatalogException.Invalid(
                        $"Item '{ids[item]}': code {id[level]} at level {level}; the codebook has {codebookSizes[level]}.");
                }
            }

            if (!_byId.TryAdd(ids[item], item))
            {
                throw CatalogException.Invalid($"Item id '{ids[item]}' appears twice.");
            }

            if (!_bySemanticId.TryAdd(id, item))
            {
                throw CatalogException.Invalid($"Items '{ids[_bySemanticId[id]]}' and '{ids[item]}' share the semantic ID {id}.");
            }
        }

        (Ids, SemanticIds, Titles, CodebookSizes) = (ids, semanticIds, titles, codebookSizes);
    }

    public int Count => Ids.Count;

    /// <summary>[Count] item ids.</summary>
    public IReadOnlyList<string> Ids { get; }

    /// <summary>[Count]</summary>
    public IReadOnlyList<SemanticId> SemanticIds { get; }

    /// <summary>[Count]; empty where unknown.</summary>
    public IReadOnlyList<string> Titles { get; }

    /// <summary>[levels] codes at each level.</summary>
    public IReadOnlyList<int> CodebookSizes { get; }

    public int Levels => CodebookSizes.Count;

    /// <summary>Largest collision token in the table.</summary>
    public int MaxCollision => SemanticIds.Count == 0 ? 0 : SemanticIds.Max(id => id.Collision);

    public bool TryIndex(string itemId, out int item) => _byId.TryGetValue(itemId, out item);

    public bool TryIndex(SemanticId id, out int item) => _bySemanticId.TryGetValue(id, out item);

    /// <summary>The item's index.</summary>
    /// <exception cref="CatalogException">Unknown item.</exception>
    public int IndexOf(string itemId) => _byId.TryGetValue(itemId, out int item)
        ? item
        : throw CatalogException.NotFound(
            $"Item '{itemId}' is not in this version's catalogue of {Count} items. Assign it a semantic ID first (Quantizer.Assign), or "
            + "rebuild with a dataset that has it.");

    /// <summary>The same table with items appended behind it; items that it has already are passed over.</summary>
    public ItemTable Append(IEnumerable<AppendedItem> appended)
    {
        var (ids, semanticIds, titles) = (new List<string>(Ids), new List<SemanticId>(SemanticIds), new List<string>(Titles));
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in appended)
        {
            if (!_byId.ContainsKey(item.ItemId) && seen.Add(item.ItemId))
            {
                ids.Add(item.ItemId);
                semanticIds.Add(item.SemanticId);
                titles.Add(item.Title);
            }
        }

        return seen.Count == 0 ? this : new ItemTable(ids, semanticIds, titles, CodebookSizes);
    }
}

/// <summary>An item that got its semantic ID after its version was built.</summary>
public sealed record AppendedItem(string ItemId, SemanticId SemanticId, string Title);
