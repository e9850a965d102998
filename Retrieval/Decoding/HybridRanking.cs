using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Decoding;

/// <summary>
/// Ranks the union of the beam and the dense head's best items by α·log P(generative) + (1 − α)·log P(dense). Both are full
/// log-probabilities; a dense candidate outside the beam gets its generative one by scoring its tokens.
/// </summary>
internal sealed class HybridRanking(RetrievalModel model, ItemTrie trie, int[] codes)
{
    /// <summary>Dense candidates of a query.</summary>
    private const int Candidates = 100;

    /// <param name="hidden">[rows, dim]</param>
    /// <param name="beams">[rows] the beam's items with their generative log-probabilities.</param>
    /// <returns>[rows] best first.</returns>
    public (int Item, double Score)[][] Rerank(
        BeamSearch search, Tensor hidden, HistoryCache history, (
            int Item, double Score)[][] beams, IReadOnlyList<IEnumerable<int>>? excluded)
    {
        var parts = Parts(search, hidden, history, beams, excluded);
        double alpha = model.Config.Alpha;
        return [.. parts.Select(row => row.Select(part => (part.Item, Score: (alpha * part.Generative) + ((1 - alpha) * part.Dense)))
            .OrderByDescending(pair => pair.Score).ThenBy(pair => pair.Item).ToArray())];
    }

    /// <summary>Both log-probabilities of each candidate, so that α can be chosen without decoding again.</summary>
    public (int Item, double Generative, double Dense)[][] Parts(
        BeamSearch search, Tensor hidden, HistoryCache history, (
            int Item, double Score)[][] beams, IReadOnlyList<IEnumerable<int>>? excluded)
    {
        int rows = beams.Length, items = model.Config.TrainedItems;
        var logits = matmul(model.Network.DenseQueries(hidden), model.Vectors!.narrow(0, 0, items).transpose(0, 1));
        var dense = functional.log_softmax(logits, -1); // [rows, items]
        var (_, best) = dense.topk(Math.Min(items, Candidates + (excluded?.Max(row => row.Distinct().Count()) ?? 0)), 1);
        int width = (int)best.size(1);
        var candidates = best.cpu().data<long>().ToArray(); // [rows × width]
        var tokens = new long[candidates.Length * trie.Depth];
        for (int i = 0; i < candidates.Length; i++)
        {
            for (int depth = 0; depth < trie.Depth; depth++)
            {
                tokens[(i * trie.Depth) + depth] = codes[((int)candidates[i] * trie.Depth) + depth];
            }
        }

        var generative = search.Score(hidden, history, tensor(tokens, [rows, width, trie.Depth], device: hidden.device))
            .cpu().data<float>().ToArray();
        var values = dense.cpu().data<float>().ToArray();
        return [.. Enumerable.Range(0, rows).Select(row =>
        {
            var banned = excluded is null ? [] : excluded[row].ToHashSet();
            var union = beams[row].ToDictionary(beam => beam.Item, beam => beam.Score);
            for (int i = row * width; i < (row + 1) * width; i++)
            {
                int item = (int)candidates[i];
                if (!banned.Contains(item) && trie.LeafOf(item) >= 0)
                {
                    union.TryAdd(item, generative[i]);
                }
            }

            // An appended item has no vector: its generative probability stands for both, so that it competes on equal terms.
            return union.Select(
                pair => (pair.Key, pair.Value, pair.Key < items ? values[(row * (long)items) + pair.Key] : pair.Value)).ToArray();
        })];
    }
}
