using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Legs.Transitions;

namespace Recsys.Retrieval.Decoding;

/// <summary>Items that are like one item.</summary>
/// <param name="fresh">Items that came after training.</param>
internal sealed class SimilarItems(RetrievalModel model, TrieLayers trie, NewItems fresh)
{
    private readonly NearVectors? _content = model.Content is { } leg ? new NearVectors(leg, fresh) : null;

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
        var (found, passed) = (new List<(int Item, double Score)>(), new HashSet<int> { item });
        for (int shared = id.Levels; shared > 0 && found.Count < k; shared--)
        {
            // Those that share more were found before.
            int[] further = [.. trie.ItemsBelow(id, shared - 1).Where(passed.Add).Where(admission.Allows)];
            float[] cosines = _content?.Has(item) == true ? _content.Cosines(item, further) : new float[further.Length];
            found.AddRange(TopItems.Of(cosines, further, k - found.Count).Select(other => (other, (double)shared)));
        }

        return found;
    }

    private IReadOnlyList<(int Item, double Score)> ByContent(int item, int k, Admission admission)
    {
        if (_content?.Has(item) != true)
        {
            throw CatalogException.Precondition(
                $"Item '{ItemIds.Shown(trie.Items.Ids[item])}' has no vector of the content leg in this version"
                + $"{(_content is null ? ", which has no such leg" : ": it came after training without embeddings that the leg reads")}. "
                + "Ask by codes.");
        }

        return _content.Of(item, k, admission);
    }

    private IReadOnlyList<(int Item, double Score)> ByTransitions(int item, int k, Admission admission)
    {
        var leg = model.Legs.OfType<TransitionLeg>().FirstOrDefault()
            ?? throw CatalogException.Precondition("This version has no transitions leg. Ask by codes or by content.");
        return [.. leg.After(item, fresh).Where(other => admission.Allows(other.Item))
            .OrderByDescending(other => other.Evidence).ThenBy(other => other.Item).Take(k)];
    }
}
