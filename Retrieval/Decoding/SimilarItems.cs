using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Legs.Transitions;

namespace Recsys.Retrieval.Decoding;

/// <summary>Items that are like one item.</summary>
internal sealed class SimilarItems(RetrievalModel model, TrieLayers trie)
{
    private readonly DenseLeg? _content = model.Legs.OfType<DenseLeg>().FirstOrDefault(leg => leg.Name == DenseLeg.Content);

    /// <param name="admission">Which may be answered; does not allow the item itself.</param>
    /// <returns>At most k items, those most like it first.</returns>
    public IReadOnlyList<(int Item, double Score)> Of(int item, Likeness by, int k, Admission admission) => by switch
    {
        Likeness.Codes => ByCodes(item, k, admission),
        Likeness.Content => ByContent(item, k, admission),
        _ => ByTransitions(item, k, admission),
    };

    private List<(int Item, double Score)> ByCodes(int item, int k, Admission admission)
    {
        var id = trie.Items.SemanticIds[item];
        float[] cosines = _content is not null && item < _content.Config.Items ? _content.Cosines(item) : [];
        var (found, passed) = (new List<(int Item, double Score)>(), new HashSet<int> { item });
        for (int shared = id.Levels; shared > 0 && found.Count < k; shared--)
        {
            int[] fresh = [.. trie.ItemsBelow(id, shared - 1).Where(passed.Add)]; // those that share more were found before
            found.AddRange(fresh.Where(admission.Allows)
                .OrderByDescending(other => other < cosines.Length ? cosines[other] : float.NegativeInfinity).ThenBy(other => other)
                .Take(k - found.Count).Select(other => (other, (double)shared)));
        }

        return found;
    }

    private IReadOnlyList<(int Item, double Score)> ByContent(int item, int k, Admission admission)
    {
        if (_content is null || item >= _content.Config.Items)
        {
            throw CatalogException.Precondition(
                $"Item '{ItemIds.Shown(trie.Items.Ids[item])}' has no vector of the content leg in this version"
                + $"{(_content is null ? ", which has no such leg" : ": it was appended after training")}. Ask by codes.");
        }

        float[] cosines = _content.Cosines(item);
        return [.. TopItems.Of(cosines, k, admission).Select(other => (other, (double)cosines[other]))];
    }

    private IReadOnlyList<(int Item, double Score)> ByTransitions(int item, int k, Admission admission)
    {
        var leg = model.Legs.OfType<TransitionLeg>().FirstOrDefault()
            ?? throw CatalogException.Precondition("This version has no transitions leg. Ask by codes or by content.");
        return [.. leg.After(item).Where(other => admission.Allows(other.Item))
            .OrderByDescending(other => other.Evidence).ThenBy(other => other.Item).Take(k)];
    }
}
