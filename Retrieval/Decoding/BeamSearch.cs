using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Decoding;

/// <summary>
/// Beam search inside the trie, batched over users. Scores are sums of log-probabilities over all tokens: softmax first, mask after, so
/// that they stay comparable between requests. Finished beams are existing items and distinct by construction; beams at −inf are dropped.
/// </summary>
public sealed class BeamSearch(DecoderOnly network, TrieTensors tensors, ItemTrie trie)
{
    /// <param name="hidden">[rows, dim] what <see cref="DecoderOnly.Read"/> gave.</param>
    /// <param name="beam">Beams kept at each depth.</param>
    /// <param name="excluded">[rows] items that a row must not return; null: none.</param>
    /// <returns>[rows] leaves with log-probabilities, best first; at most <paramref name="beam"/>, fewer when the trie has fewer.</returns>
    public (int Leaf, float LogProbability)[][] Search(
        Tensor hidden, HistoryCache history, int beam, IReadOnlyList<IEnumerable<int>>? excluded)
    {
        long rows = hidden.size(0);
        if (trie.Leaves == 0)
        {
            return [.. Enumerable.Repeat(Array.Empty<(int, float)>(), (int)rows)];
        }

        var spent = excluded?.Select(items => SpentNodes.Find(trie, items)).ToArray();
        var beams = new BeamCache();
        var state = hidden.unsqueeze(1); // [rows, 1, dim]
        var nodes = zeros(rows, 1, ScalarType.Int64, hidden.device); // [rows, beams]
        var scores = zeros(rows, 1, ScalarType.Float32, hidden.device); // [rows, beams]
        for (int depth = 0; depth < trie.Depth; depth++)
        {
            if (depth > 0)
            {
                state = network.Extend(tensors.Tokens(depth - 1, nodes), depth, history, beams); // [rows, beams, dim]
            }

            var (sums, children) = tensors.Expand(depth, nodes, scores, network.LogProbabilities(state, depth)); // [rows, beams, places]
            if (spent is not null)
            {
                sums = Close(sums, nodes, spent, depth);
            }

            long places = sums.size(2);
            (scores, var at) = sums.flatten(1).topk((int)Math.Min(Math.Min(beam, trie.Nodes(depth)), sums.size(1) * places), 1);
            nodes = children.flatten(1).gather(1, at);
            if (depth > 0 && depth < trie.Depth - 1)
            {
                beams.Follow(at.div(places, RoundingMode.floor));
            }
        }

        return Collect(nodes, scores);
    }

    /// <summary>Log-probabilities of given items, by the same steps with the way known beforehand.</summary>
    /// <param name="codes">[rows, items, depth] tokens of the items within their levels.</param>
    /// <returns>[rows, items]</returns>
    public Tensor Score(Tensor hidden, HistoryCache history, Tensor codes)
    {
        var beams = new BeamCache();
        var state = hidden.unsqueeze(1).expand(-1, codes.size(1), -1); // [rows, items, dim]
        Tensor? sum = null;
        for (int depth = 0; depth < trie.Depth; depth++)
        {
            if (depth > 0)
            {
                state = network.Extend(codes.select(2, depth - 1), depth, history, beams);
            }

            var step = network.LogProbabilities(state, depth).gather(2, codes.narrow(2, depth, 1)).squeeze(2); // [rows, items]
            sum = sum is null ? step : sum + step;
        }

        return sum!;
    }

    /// <summary>Sets to −inf the children whose every item is excluded from their row.</summary>
    private Tensor Close(Tensor sums, Tensor nodes, List<int>[][] spent, int depth)
    {
        int width = spent.Max(row => row[depth].Count);
        if (width == 0)
        {
            return sums;
        }

        var (parents, places) = (new long[spent.Length * width], new long[spent.Length * width]);
        Array.Fill(parents, -1);
        for (int row = 0; row < spent.Length; row++)
        {
            for (int i = 0; i < spent[row][depth].Count; i++)
            {
                (parents[(row * width) + i], places[(row * width) + i]) = tensors.PlaceOf(depth, spent[row][depth][i]);
            }
        }

        var parent = tensor(parents, [spent.Length, 1, width], dtype: ScalarType.Int64, device: sums.device);
        var place = tensor(places, [spent.Length, 1, width], dtype: ScalarType.Int64, device: sums.device).expand(-1, sums.size(1), -1);
        var penalty = zeros(spent.Length, sums.size(1), width, ScalarType.Float32, sums.device)
            .masked_fill(nodes.unsqueeze(2).eq(parent), float.NegativeInfinity); // [rows, beams, spent]
        return sums.scatter_add(2, place, penalty);
    }

    private static (int Leaf, float LogProbability)[][] Collect(Tensor nodes, Tensor scores)
    {
        var (leaves, values) = (nodes.cpu().data<long>().ToArray(), scores.cpu().data<float>().ToArray());
        int width = (int)nodes.size(1);
        var found = new (int, float)[nodes.size(0)][];
        for (int row = 0; row < found.Length; row++)
        {
            int live = 0;
            while (live < width && !float.IsNegativeInfinity(values[(row * width) + live]))
            {
                live++;
            }

            found[row] = [.. Enumerable.Range(row * width, live).Select(i => ((int)leaves[i], values[i]))];
        }

        return found;
    }
}
