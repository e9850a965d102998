using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Legs.Transitions;

namespace Recsys.Retrieval.Decoding;

/// <summary>Items that are like one item.</summary>
/// <param name="fresh">Items that came after training.</param>
internal sealed class SimilarItems(RetrievalModel model, TrieLayers trie, NewItems fresh)
{
    private readonly DenseLeg? _content = model.Content;

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
        float[] cosines = HasVector(item) ? _content!.Cosines(item, fresh) : [];
        var (found, passed) = (new List<(int Item, double Score)>(), new HashSet<int> { item });
        for (int shared = id.Levels; shared > 0 && found.Count < k; shared--)
        {
            int[] fresh = [.. trie.ItemsBelow(id, shared - 1).Where(passed.Add)]; // those that share more were found before
            found.AddRange(fresh.Where(admission.Allows)
                .OrderByDescending(Cosine).ThenBy(other => other)
                .Take(k - found.Count).Select(other => (other, (double)shared)));
        }

        return found;

        float Cosine(int other) =>
            other < cosines.Length && !float.IsNaN(cosines[other]) ? cosines[other] : float.NegativeInfinity;
    }

    private IReadOnlyList<(int Item, double Score)> ByContent(int item, int k, Admission admission)
    {
        if (!HasVector(item))
        {
            throw CatalogException.Precondition(
                $"Item '{ItemIds.Shown(trie.Items.Ids[item])}' has no vector of the content leg in this version"
                + $"{(_content is null ? ", which has no such leg" : ": it came after training without embeddings that the leg reads")}. "
                + "Ask by codes.");
        }

        float[] cosines = _content!.Cosines(item, fresh);
        return [.. TopItems.Of(cosines, k, admission).Select(other => (other, (double)cosines[other]))];
    }

    private bool HasVector(int item) => _content is not null && (item < _content.Config.Items || fresh.Of(item) is not null);

    private IReadOnlyList<(int Item, double Score)> ByTransitions(int item, int k, Admission admission)
    {
        var leg = model.Legs.OfType<TransitionLeg>().FirstOrDefault()
            ?? throw CatalogException.Precondition("This version has no transitions leg. Ask by codes or by content.");
        return [.. leg.After(item, fresh).Where(other => admission.Allows(other.Item))
            .OrderByDescending(other => other.Evidence).ThenBy(other => other.Item).Take(k)];
    }
}
