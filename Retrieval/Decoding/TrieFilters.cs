using System.Collections.Concurrent;
using Recsys.Catalog.Attributes;

namespace Recsys.Retrieval.Decoding;

/// <summary>
/// The filters that requests ask for, each made once for a trie: a shop asks for the same few again and again. When the trie or its items'
/// attributes become others, a filter follows at its next use, in time for what changed.
/// </summary>
internal sealed class TrieFilters
{
    /// <summary>Filters that are remembered, and nodes that they count for together; when there are more, all are forgotten.</summary>
    private const int MaxFilters = 64, MaxNodes = 1 << 25;

    private readonly TrieLayers _trie;
    private readonly ConcurrentDictionary<ItemFilter, (TrieFilter Filter, TrieLayers Of)> _made;
    private long _nodes;

    /// <param name="before">Those of the trie that this one was made from; null: there are none.</param>
    public TrieFilters(TrieLayers trie, TrieFilters? before = null) =>
        (_trie, _made, _nodes) = (trie, before is null ? new() : new(before._made), before?._nodes ?? 0);

    /// <exception cref="CatalogException">InvalidArgument: there is no attribute of that name.</exception>
    public TrieFilter Of(ItemFilter filter)
    {
        bool known = _made.TryGetValue(filter, out var made);
        if (known && made.Of == _trie)
        {
            return made.Filter;
        }

        var next = (known ? made.Filter.With(_trie, filter) : null)
            ?? new TrieFilter(_trie, _trie.Items.Attributes.Passing(filter, _trie.Items.Count));
        if (!known && (Interlocked.Add(ref _nodes, next.Nodes) > MaxNodes || _made.Count >= MaxFilters))
        {
            _made.Clear();
            Interlocked.Exchange(ref _nodes, next.Nodes);
        }

        return (_made[filter] = (next, _trie)).Filter;
    }
}
