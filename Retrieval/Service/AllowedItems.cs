using Google.Protobuf.Collections;
using Recsys.Catalog.Attributes;
using Recsys.V1;

namespace Recsys.Retrieval.Service;

/// <summary>What a request says of the items that it may be answered with, checked before a snapshot is taken.</summary>
internal sealed class AllowedItems
{
    /// <summary>Item ids of each of the two lists.</summary>
    public const int MaxListed = 10_000;

    private readonly RepeatedField<string> _exclude;
    private readonly RepeatedField<string>? _candidates;
    private readonly ItemFilter? _filter;
    private readonly Catalog.Ports.Boost[] _boosts = [];
    private readonly Catalog.Ports.Cap[] _caps = [];

    /// <exception cref="CatalogException">InvalidArgument: too much of something, an id that no item has, a condition that says nothing, a
    /// boost or cap out of range.</exception>
    public AllowedItems(RecommendRequest request)
        : this(request.Exclude, request.Candidates, request.Conditions) =>
        (_boosts, _caps) = (Conditions.Read(request.Boosts), Conditions.Read(request.Caps));

    /// <inheritdoc cref="AllowedItems(RecommendRequest)"/>
    public AllowedItems(RepeatedField<string> exclude, ItemSet? candidates, RepeatedField<V1.Condition> conditions)
    {
        (_exclude, _candidates, _filter) = (exclude, candidates?.ItemIds, Conditions.Read(conditions));
        Check("exclude", _exclude, MaxListed);
        Check("candidates", _candidates ?? [], MaxListed);
    }

    /// <summary>A query for those items alone, and the listed ids that the table does not have, each once.</summary>
    /// <exception cref="CatalogException">InvalidArgument: a condition is on an attribute that the table does not have.</exception>
    public (RecommendQuery Query, IEnumerable<string> Unknown) In(RecommendQuery query, ItemTable items)
    {
        items.Attributes.Check(
        [
            .. (_filter?.Conditions ?? []).Select(condition => condition.Attribute),
            .. _boosts.Select(boost => boost.Condition.Attribute), .. _caps.Select(cap => cap.Attribute),
        ]);
        var (exclude, unknownExcluded) = items.Known(_exclude);
        var (candidates, unknownCandidates) = items.Known(_candidates ?? []);
        return (
            query with
            {
                Exclude = exclude, Candidates = _candidates is null ? null : candidates, Filter = _filter, Boosts = _boosts, Caps = _caps,
            },
            unknownExcluded.Union(unknownCandidates));
    }

    /// <exception cref="CatalogException">InvalidArgument: too many ids, or one that no item has.</exception>
    public static void Check(string field, IReadOnlyCollection<string> ids, int most)
    {
        if (ids.Count > most)
        {
            throw CatalogException.InvalidField(field, $"{field} has {ids.Count} item ids; allowed are {most}.");
        }

        foreach (string id in ids)
        {
            ItemIds.Check(id, field);
        }
    }
}
