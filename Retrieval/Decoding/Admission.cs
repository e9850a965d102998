namespace Recsys.Retrieval.Decoding;

/// <summary>Which items a query may be answered with: all but some, or some alone.</summary>
public sealed class Admission
{
    private readonly HashSet<int> _listed;

    private Admission(bool only, HashSet<int> listed) => (Only, _listed) = (only, listed);

    /// <summary>Whether the listed items are the ones that may be answered; else they are the ones that may not.</summary>
    public bool Only { get; }

    public IReadOnlySet<int> Listed => _listed;

    /// <summary>What a query asks for; null: every item.</summary>
    /// <param name="excludeSeen">Whether items of the history are left out, whatever the query says.</param>
    public static Admission? Of(RecommendQuery query, bool excludeSeen)
    {
        var excluded = query.Exclude.ToHashSet();
        if (excludeSeen)
        {
            excluded.UnionWith(query.History);
        }

        return query.Candidates is { } candidates ? new Admission(true, [.. candidates.Where(item => !excluded.Contains(item))])
            : excluded.Count > 0 ? AllBut(excluded)
            : null;
    }

    public static Admission AllBut(IEnumerable<int> items) => new(false, [.. items]);

    public static Admission OnlyOf(IEnumerable<int> items) => new(true, [.. items]);

    public bool Allows(int item) => _listed.Contains(item) == Only;
}
