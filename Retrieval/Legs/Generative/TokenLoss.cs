using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Legs.Generative;

/// <summary>−log P of items by their tokens.</summary>
internal static class TokenLoss
{
    private const long Ignored = -100; // the target of a row that nothing is asked of

    /// <param name="states">[rows, depth, dim] what predicts each token.</param>
    /// <param name="codes">[items × depth] of <see cref="TokenLayout.Codes"/>.</param>
    /// <param name="items">[rows] the items asked for, -1: none.</param>
    /// <returns>The sum over the rows and their tokens.</returns>
    public static Tensor Sum(SemanticDecoder network, Tensor states, int[] codes, int[] items)
    {
        int depth = (int)states.size(1);
        var levels = states.unbind(1);
        Tensor? sum = null;
        for (int level = 0; level < depth; level++)
        {
            var targets = tensor(
                Array.ConvertAll(items, item => item < 0 ? Ignored : (long)codes[(item * depth) + level]), [items.Length],
                device: states.device);
            var logits = network.Logits(levels[level], level).to(ScalarType.Float32);
            var part = functional.cross_entropy(logits, targets, ignore_index: Ignored, reduction: Reduction.Sum);
            sum = sum is null ? part : sum + part;
        }

        return sum!;
    }
}
