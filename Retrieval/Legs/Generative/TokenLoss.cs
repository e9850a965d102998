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
    public static Tensor Sum(SemanticDecoder network, Tensor states, int[] codes, int[] items) =>
        Sum(network, states, level => tensor(
            Array.ConvertAll(items, item => item < 0 ? Ignored : (long)codes[(item * states.size(1)) + level]), [items.Length],
            device: states.device));

    /// <param name="states">[rows, depth, dim] what predicts each token.</param>
    /// <param name="labels">[depth] each [rows, tokens of the level]: the share of each token.</param>
    /// <returns>The cross-entropy, summed over the rows and their tokens.</returns>
    public static Tensor Sum(SemanticDecoder network, Tensor states, Tensor[] labels) => Sum(network, states, level => labels[level]);

    private static Tensor Sum(SemanticDecoder network, Tensor states, Func<int, Tensor> targets) =>
        states.unbind(1).Select((of, level) => functional.cross_entropy(
                network.Logits(of, level).to(ScalarType.Float32), targets(level), ignore_index: Ignored, reduction: Reduction.Sum))
            .Aggregate((sum, part) => sum + part);
}
