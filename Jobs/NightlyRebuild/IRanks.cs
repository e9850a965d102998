namespace Recsys.Jobs;

/// <summary>The processes that train one rebuild's models together, each with its share of every batch. Rank 0 alone writes and reports.</summary>
public interface IRanks
{
    /// <summary>Whether this is rank 0.</summary>
    bool IsMain { get; }

    /// <summary>Waits until every rank is here.</summary>
    /// <param name="verdict">What rank 0 has found; the others' is not looked at.</param>
    /// <returns>Rank 0's.</returns>
    bool Agree(bool verdict);
}

/// <summary>One process, as usual.</summary>
public sealed class OneRank : IRanks
{
    public bool IsMain => true;

    public bool Agree(bool verdict) => verdict;
}
