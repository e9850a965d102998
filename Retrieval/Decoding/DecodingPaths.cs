using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Decoding;

/// <summary>How the generative leg comes to items: token by token, with what it gives each.</summary>
internal static class DecodingPaths
{
    /// <summary>Scores items as a search does, and keeps what it sees on the way.</summary>
    /// <param name="states">Behind one history.</param>
    /// <returns>[items][depth]</returns>
    public static PathToken[][] Of(PrefixStates states, ItemTable table, IReadOnlyList<int> items)
    {
        int depths = table.Levels + 1;
        var paths = items.Select(_ => new PathToken[depths]).ToArray();
        int[] at = new int[items.Count]; // the state behind each's prefix
        var sums = new double[items.Count];
        for (int depth = 0; depth < depths; depth++)
        {
            var next = new NextStates(states);
            next.BeginRow();
            for (int i = 0; i < items.Count; i++)
            {
                int token = ItemTrie.Token(table.SemanticIds[items[i]], depth);
                var all = states.LogProbabilities(at[i]);
                float own = all[Math.Min(token, states.Tokens - 1)]; // as a search takes an unknown collision token
                sums[i] += own;
                int likelier = 0;
                foreach (float other in all)
                {
                    likelier += other > own ? 1 : 0;
                }

                paths[i][depth] = new PathToken(token, own, sums[i], likelier + 1);
                at[i] = next.Of(at[i], token);
            }

            next.Extend(depth + 1 < depths);
        }

        return paths;
    }
}
