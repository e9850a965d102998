using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Decoding;

/// <summary>
/// Ranks the union of the beam and the dense head's best items by α·log P(generative) + (1 − α)·log P(dense). Both are full
/// log-probabilities; a dense candidate outside the beam gets its generative one by scoring its tokens.
/// </summary>
internal sealed class HybridRanking(RetrievalModel model, TrieLayers trie)
{
    /// <summary>Dense candidates of a query.</summary>
    private const int Candidates = 100;

    /// <summary>Both log-probabilities of each candidate, by item index: the beam's items and the dense head's best.</summary>
    /// <param name="hidden">[rows, dim]</param>
    /// <param name="beams">[rows] the beam's items with their generative log-probabilities.</param>
    /// <returns>[rows]; Dense is NaN for an appended item, which has no vector.</returns>
    public (int Item, double Generative, double Dense)[][] Parts(
        BeamSearch search, Tensor hidden, HistoryCache history, (int Item, double LogProbability)[][] beams,
        IReadOnlyList<IEnumerable<int>>? excluded)
    {
        int rows = beams.Length, items = model.Config.TrainedItems;
        var banned = Enumerable.Range(0, rows).Select(row => excluded is null ? [] : excluded[row].ToHashSet()).ToArray();
        var logits = matmul(model.Network.DenseQueries(hidden), model.Vectors!.narrow(0, 0, items).transpose(0, 1));
        var dense = functional.log_softmax(logits, -1); // [rows, items]
        var best = BeamSearch.Best(
            dense, arange(items, ScalarType.Int64, dense.device), Candidates + banned.Max(row => row.Count)); // [rows, candidates]
        int width = (int)best.size(1);
        var candidates = best.cpu().data<long>().ToArray(); // [rows × width]
        var tokens = candidates.SelectMany(item => Enumerable.Range(0, trie.Depth)
            .Select(depth => (long)Math.Min(ItemTrie.Token(trie.Items.SemanticIds[(int)item], depth), trie.Size(depth) - 1))).ToArray();
        var generative = search.Score(hidden, history, tensor(tokens, [rows, width, trie.Depth], device: hidden.device))
            .cpu().data<float>().ToArray();
        var values = dense.cpu().data<float>().ToArray();
        return [.. Enumerable.Range(0, rows).Select(row =>
        {
            // As many as the row had alone: the other rows' exclusions are no reason to look further.
            var union = beams[row].ToDictionary(beam => beam.Item, beam => beam.LogProbability);
            for (int i = row * width; i < (row * width) + Math.Min(width, Candidates + banned[row].Count); i++)
            {
                int item = (int)candidates[i];
                if (!banned[row].Contains(item))
                {
                    union.TryAdd(item, generative[i]);
                }
            }

            return union.OrderBy(pair => pair.Key)
                .Select(pair => (pair.Key, pair.Value, pair.Key < items ? values[(row * (long)items) + pair.Key] : double.NaN)).ToArray();
        })];
    }
}
