using System.Runtime.InteropServices;
using Recsys.Quantizer.Models;

namespace Recsys.Quantizer.Training;

/// <summary>
/// Puts codes that no row has onto rows that are far from theirs. k-means and running means leave such codes behind where many rows are
/// equal, and no later step would find them.
/// </summary>
internal static class CodeRevival
{
    private const int Rounds = 8; // a row that changes its code may empty the code that it had

    /// <summary>Revives a level's unused codes while there are rows that are no code yet and do not leave their code unused.</summary>
    /// <param name="input">[n, width] what the level has to quantise.</param>
    public static void Spread(VectorCodebooks codebooks, int level, Tensor input)
    {
        using var _ = no_grad();
        for (int round = 0; round < Rounds && Revive(codebooks, level, input, codebooks.Nearest(input, level)); round++)
        {
        }
    }

    /// <summary>The same once, for rows that have the codes of <paramref name="assignment"/>.</summary>
    /// <returns>Whether a code was revived.</returns>
    public static bool Revive(VectorCodebooks codebooks, int level, Tensor input, Tensor assignment)
    {
        using var scope = NewDisposeScope();
        var unused = (bincount(assignment, minlength: codebooks.Sizes[level]) == 0).nonzero().flatten().cpu().data<long>().ToArray();
        if (unused.Length == 0)
        {
            return false;
        }

        var errors = (input - codebooks.Vectors(assignment, level)).pow(2).sum(1);
        double least = 1e-9 * input.pow(2).sum(1).mean().ToDouble();
        var (codes, error) = (assignment.cpu().data<long>().ToArray(), errors.cpu().data<float>().ToArray());
        var rows = Hashes(input);
        var distinct = new int[codebooks.Sizes[level]]; // of a code's rows
        foreach (var (code, _) in codes.Zip(rows).Distinct())
        {
            distinct[code]++;
        }

        var moved = new List<(long Code, long Row, long From)>();
        var taken = new HashSet<ulong>();
        foreach (int row in Enumerable.Range(0, codes.Length).OrderByDescending(row => error[row]).TakeWhile(row => error[row] > least))
        {
            if (moved.Count == unused.Length)
            {
                break;
            }

            if (distinct[codes[row]] > 1 && taken.Add(rows[row]))
            {
                distinct[codes[row]]--;
                moved.Add((unused[moved.Count], row, codes[row]));
            }
        }

        if (moved.Count == 0)
        {
            return false;
        }

        // At the price of the row's code the new one is cheaper for it than any other.
        Tensor Indexes(Func<(long Code, long Row, long From), long> of) => tensor(moved.Select(of).ToArray(), device: input.device);
        var places = Indexes(move => move.Code);
        codebooks.Codes[level].index_copy_(0, places, input.index_select(0, Indexes(move => move.Row)));
        codebooks.Prices[level].index_copy_(0, places, codebooks.Prices[level].index_select(0, Indexes(move => move.From)));
        return true;
    }

    // FNV-1a over the values' bits: equal rows have equal hashes.
    private static ulong[] Hashes(Tensor input)
    {
        int width = (int)input.shape[1];
        using var dense = input.cpu().contiguous();
        var bits = MemoryMarshal.Cast<float, uint>(Tensors.Values<float>(dense));
        var hashes = new ulong[input.shape[0]];
        for (int row = 0; row < hashes.Length; row++)
        {
            hashes[row] = 14695981039346656037;
            foreach (uint value in bits.Slice(row * width, width))
            {
                hashes[row] = (hashes[row] ^ value) * 1099511628211;
            }
        }

        return hashes;
    }
}
