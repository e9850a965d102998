namespace Recsys.Retrieval.Decoding;

/// <summary>Which items a query may be answered with: all but some, or some alone.</summary>
public sealed class Admission
{
    private readonly HashSet<int> _listed;
    private readonly Lazy<IReadOnlyCollection<int>?> _few;

    private Admission(bool only, HashSet<int> listed, TrieFilter? filter)
    {
        (Only, _listed, Filter) = (only, listed, filter);
        _few = new(() => only ? listed : filter?.Few is { } few ? [.. few.Where(item => !listed.Contains(item))] : null);
    }

    /// <summary>Whether the listed items are the ones that may be answered; else they are the ones that may not.</summary>
    public bool Only { get; }

    /// <summary>All of them pass <see cref="Filter"/>.</summary>
    public IReadOnlySet<int> Listed => _listed;

    /// <summary>What the items must pass besides; null: nothing.</summary>
    public TrieFilter? Filter { get; }

    /// <summary>All that may be answered, in any order, where a query lists them or a filter lets few pass: whoever looks for the best
    /// need not walk through a catalogue then. Null: they are many.</summary>
    public IReadOnlyCollection<int>? Few => _few.Value;

    /// <summary>What a query asks for; null: every item.</summary>
    /// <param name="excludeSeen">Whether items of the history are left out, whatever the query says.</param>
    /// <param name="filter">Of the query.</param>
    public static Admission? Of(RecommendQuery query, bool excludeSeen, TrieFilter? filter)
    {
        var excluded = query.Exclude.ToHashSet();
        if (excludeSeen)
        {
            excluded.UnionWith(query.History);
        }

        return query.Candidates is { } candidates ? OnlyOf(candidates.Where(item => !excluded.Contains(item)), filter)
            : excluded.Count > 0 || filter is not null ? AllBut(excluded, filter)
            : null;
    }

    public static Admission AllBut(IEnumerable<int> items, TrieFilter? filter = null) =>
        new(false, [.. items.Where(item => filter?.Passes(item) != false)], filter);

    public static Admission OnlyOf(IEnumerable<int> items, TrieFilter? filter = null) =>
        new(true, [.. items.Where(item => filter?.Passes(item) != false)], filter);

    public bool Allows(int item) => _listed.Contains(item) == Only && Filter?.Passes(item) != false;
}
