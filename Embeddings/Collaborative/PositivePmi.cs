using Recsys.Catalog;

namespace Recsys.Embeddings.Collaborative;

/// <summary>
/// Positive pointwise mutual information of items that stand near each other in users' sequences:
/// max(0, ln(n(i,j) · n / (n(i) · n(j)))) over ordered pairs (Levy and Goldberg 2014, equation 10).
/// </summary>
public static class PositivePmi
{
    /// <param name="window">Max steps between the two items of a pair; an item is no neighbour of itself.</param>
    /// <param name="items">Items of the catalogue.</param>
    /// <returns>[items × items], symmetric, without the zeros.</returns>
    public static SparseMatrix Of(SequenceSet sequences, int window, int items)
    {
        using var scope = NewDisposeScope();
        var (pairs, counts) = Count(sequences, window, items); // [pairs] left · items + right, and how often
        var (left, right) = (pairs.div(items, RoundingMode.floor), pairs.remainder(items));
        var totals = zeros(items, dtype: ScalarType.Float64).index_add_(0, left, counts, 1);
        var pmi = (counts * totals.sum() / (totals[left] * totals[right])).log();
        var kept = pmi > 0;
        return new SparseMatrix(
            items, items, left[kept].data<long>().ToArray(), right[kept].data<long>().ToArray(), TruncatedSvd.Values(pmi[kept]));
    }

    // Distance by distance, so that memory stays with the distinct pairs and one distance's, not with all pairs.
    private static (Tensor Pairs, Tensor Counts) Count(SequenceSet sequences, int window, int items)
    {
        var sequence = tensor(Array.ConvertAll(sequences.Items, item => (long)item)); // [interactions]
        var lengths = sequences.Offsets.Zip(sequences.Offsets.Skip(1), (from, to) => (long)(to - from)).ToArray();
        var user = arange(sequences.Count, dtype: ScalarType.Int64).repeat_interleave(tensor(lengths)); // [interactions]
        var (pairs, counts) = (empty(0, dtype: ScalarType.Int64), empty(0, dtype: ScalarType.Float64));
        for (int steps = 1; steps <= window && steps < sequence.shape[0]; steps++)
        {
            using var scope = NewDisposeScope();
            var (left, right) = (sequence[..^steps], sequence[steps..]);
            var near = (user[..^steps] == user[steps..]) & (left != right);
            (left, right) = (left[near], right[near]);
            var met = cat([pairs, (left * items) + right, (right * items) + left]);
            var seen = cat([counts, ones(2 * left.shape[0], dtype: ScalarType.Float64)]);
            var (distinct, place, _) = met.unique(return_inverse: true);
            var sum = zeros(distinct.shape[0], dtype: ScalarType.Float64).index_add_(0, place!, seen, 1);
            (pairs, counts) = (distinct.MoveToOuterDisposeScope(), sum.MoveToOuterDisposeScope());
        }

        return (pairs, counts);
    }
}
