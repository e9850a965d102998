using System.Text;

namespace Recsys.Retrieval.Models;

/// <summary>What TIGER's encoder reads: of each history a token of its user, then the tokens of its items, oldest first; all end to
/// end.</summary>
/// <param name="Tokens">[tokens] int64 of the vocabulary, behind which the users' tokens stand.</param>
/// <param name="Levels">[tokens] int64 level of each; the depth for a user's.</param>
/// <param name="Positions">[tokens] int64 place of its item, the oldest being 1; 0 for a user's.</param>
/// <param name="Offsets">[rows + 1] int64 on the CPU: where each history starts.</param>
/// <param name="Lengths">[rows] items of each history.</param>
public sealed record EncoderInput(Tensor Tokens, Tensor Levels, Tensor Positions, Tensor Offsets, int[] Lengths)
{
    /// <param name="userTokens">Tokens that users share by hash; one more stands for a user of whom nothing is known.</param>
    /// <param name="users">[rows] ids, null: unknown.</param>
    /// <param name="histories">[rows] item indexes, oldest first, no longer than the model reads.</param>
    /// <param name="copy">Copies an item's tokens, within their levels, into [depth].</param>
    /// <param name="grain">One more history, of nobody and without items, fills the tokens up to a multiple of this: memory of few sizes
    /// is found again from step to step. 1: there is none.</param>
    public static EncoderInput Of(
        TokenLayout layout, int userTokens, IReadOnlyList<string?> users, IReadOnlyList<ArraySegment<int>> histories, CopyTokens copy,
        Device device, int grain = 1)
    {
        int depth = layout.Depth, total = histories.Sum(history => 1 + (depth * history.Count)), at = 0;
        int fill = grain == 1 ? 0 : grain - (total % grain);
        var (tokens, levels, positions) = (new long[total + fill], new long[total + fill], new long[total + fill]);
        Array.Fill(tokens, layout.Bos);
        var offsets = new List<long> { 0 };
        var codes = new int[depth];
        for (int row = 0; row < histories.Count; row++)
        {
            bool known = userTokens > 0 && users[row] is not null;
            tokens[at] = layout.Vocabulary + (known ? (int)(Hash(users[row]!) % (uint)userTokens) : userTokens);
            levels[at++] = depth;
            var history = histories[row];
            for (int i = 0; i < history.Count; i++)
            {
                copy(history[i], codes);
                for (int level = 0; level < depth; level++, at++)
                {
                    (tokens[at], levels[at], positions[at]) = (layout.Offsets[level] + codes[level], level, i + 1);
                }
            }

            offsets.Add(at);
        }

        int[] lengths = [.. histories.Select(history => history.Count)];
        if (fill > 0)
        {
            offsets.Add(total + fill);
            lengths = [.. lengths, 0];
        }

        Tensor On(long[] values) => tensor(values, device: device);
        return new EncoderInput(On(tokens), On(levels), On(positions), tensor(offsets.ToArray()), lengths);
    }

    /// <summary>FNV-1a: the same on every machine, in every run.</summary>
    private static uint Hash(string text) =>
        Encoding.UTF8.GetBytes(text).Aggregate(2166136261u, (hash, value) => unchecked((hash ^ value) * 16777619));
}

/// <summary>Copies an item's tokens, within their levels, into [depth].</summary>
public delegate void CopyTokens(int item, Span<int> tokens);
