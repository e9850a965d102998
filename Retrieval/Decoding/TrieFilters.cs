using System.Collections.Concurrent;
using Recsys.Catalog.Attributes;

namespace Recsys.Retrieval.Decoding;

/// <summary>The filters that requests ask for, each made once for a trie: a shop asks for the same few again and again.</summary>
internal sealed class TrieFilters(TrieLayers trie)
{
    /// <summary>Filters that are remembered, and nodes that they count for together; when there are more, all are forgotten.</summary>
    private const int MaxFilters = 64, MaxNodes = 1 << 25;

    private readonly ConcurrentDictionary<ItemFilter, TrieFilter> _made = new();
    private long _nodes;

    /// <exception cref="CatalogException">InvalidArgument: there is no attribute of that name.</exception>
    public TrieFilter Of(ItemFilter filter)
    {
        if (_made.TryGetValue(filter, out var known))
        {
            return known;
        }

        var made = new TrieFilter(trie, trie.Items.Attributes.Passing(filter, trie.Items.Count));
        if (Interlocked.Add(ref _nodes, made.Nodes) > MaxNodes || _made.Count >= MaxFilters)
        {
            _made.Clear();
            Interlocked.Exchange(ref _nodes, made.Nodes);
        }

        return _made[filter] = made;
    }
}
