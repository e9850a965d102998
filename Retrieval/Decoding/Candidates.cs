using System.Runtime.InteropServices;
using Recsys.Retrieval.Legs;
using Recsys.Retrieval.Legs.Generative;
using Recsys.Retrieval.Legs.Transitions;

namespace Recsys.Retrieval.Decoding;

/// <summary>
/// The items that an answer is chosen from, with what each leg says of each: the beam's, and the best of every other leg. Every leg
/// scores all of them exactly, the generative one by the tokens of those that its beam did not find.
/// </summary>
internal sealed class Candidates(RetrievalModel model, TrieLayers trie)
{
    /// <summary>Candidates that each leg but the generative one brings, and more where an answer is longer.</summary>
    public const int OfEachLeg = 50;

    /// <param name="beam">Beams of the generative leg.</param>
    /// <param name="k">Items of the longest answer.</param>
    /// <param name="excluded">[rows] items that a row must not have; null: none.</param>
    /// <returns>[rows]</returns>
    public Found[] Find(
        IReadOnlyList<IReadOnlyList<int>> histories, int beam, int k, IReadOnlyList<IReadOnlySet<int>>? excluded)
    {
        int rows = histories.Count, legs = model.Legs.Count;
        var all = model.Legs.Select(leg => leg.Scores(histories)).ToArray(); // [legs] each [rows, trained items]
        var found = new SortedSet<int>[rows];
        for (int row = 0; row < rows; row++)
        {
            // The history's own items may all be among the best and then all be ranked down.
            int wanted = Math.Max(OfEachLeg, k) + (excluded is null ? histories[row].Distinct().Count() : 0);
            found[row] = [.. all.SelectMany(scores => TopItems.Of(Row(scores, row), wanted, excluded?[row]))];
        }

        var (generative, beams) = model.Generative is { } leg
            ? Generative(leg, histories, beam, excluded, found)
            : ([.. found.Select(_ => new Dictionary<int, double>())], [.. found.Select(_ => Array.Empty<int>())]);
        return [.. Enumerable.Range(0, rows).Select(row => new Found([.. found[row].Select(item =>
        {
            var scores = new double[legs + (model.Generative is null ? 0 : 1)];
            double? decoded = generative[row].TryGetValue(item, out double value) ? value : null;
            for (int at = 0; at < legs; at++)
            {
                scores[at] = item < model.Config.TrainedItems ? Row(all[at], row)[item] : Appended(model.Legs[at], decoded);
            }

            if (decoded is { } known)
            {
                scores[^1] = known;
            }

            return (item, scores);
        })], beams[row]))];
    }

    // An appended item has no vector: its generative log-probability stands for that of the legs which have one, so that it competes on
    // equal terms. Nothing was counted for it either, which is what a count of 0 says.
    private static double Appended(ILeg leg, double? decoded) => leg is TransitionLeg ? 0 : decoded ?? double.NegativeInfinity;

    private (Dictionary<int, double>[] Scores, int[][] Beams) Generative(
        GenerativeLeg leg, IReadOnlyList<IReadOnlyList<int>> histories, int beam, IReadOnlyList<IReadOnlySet<int>>? excluded,
        SortedSet<int>[] found)
    {
        var (hidden, history) = leg.Read(histories, trie.Items);
        var search = new BeamSearch(leg.Network, trie);
        var beams = search.Search(hidden, history, Math.Min(beam, Math.Max(1, trie.Leaves)), excluded);
        var scores = beams.Select(row => row.ToDictionary(answer => answer.Item, answer => answer.LogProbability)).ToArray();
        int[][] others = [.. found.Select((items, row) => items.Where(item => !scores[row].ContainsKey(item)).ToArray())];
        int width = others.Max(items => items.Length);
        if (width > 0)
        {
            var tokens = new long[found.Length * width * trie.Depth];
            for (int row = 0; row < found.Length; row++)
            {
                for (int at = 0; at < others[row].Length * trie.Depth; at++)
                {
                    var (item, depth) = (others[row][at / trie.Depth], at % trie.Depth);
                    tokens[(row * width * trie.Depth) + at] =
                        Math.Min(ItemTrie.Token(trie.Items.SemanticIds[item], depth), trie.Size(depth) - 1);
                }
            }

            var values = search.Score(hidden, history, tensor(tokens, [found.Length, width, trie.Depth], device: hidden.device)).cpu();
            for (int row = 0; row < found.Length; row++)
            {
                for (int at = 0; at < others[row].Length; at++)
                {
                    scores[row].Add(others[row][at], Row(values, row)[at]);
                }
            }
        }

        for (int row = 0; row < found.Length; row++)
        {
            found[row].UnionWith(scores[row].Keys);
        }

        return (scores, [.. beams.Select(row => row.Select(answer => answer.Item).ToArray())]);
    }

    /// <summary>One row of a dense [rows, width] tensor of floats on the CPU, valid while it lives.</summary>
    private static ReadOnlySpan<float> Row(Tensor scores, int row)
    {
        int width = (int)scores.size(1);
        return MemoryMarshal.Cast<byte, float>(scores.bytes).Slice(row * width, width);
    }
}

/// <summary>What was found for one history.</summary>
/// <param name="Candidates">By item index; Scores: [legs], in the order of the model's legs, the generative one last.</param>
/// <param name="Beam">The items that the generative leg found alone, best first.</param>
internal sealed record Found((int Item, double[] Scores)[] Candidates, int[] Beam);
