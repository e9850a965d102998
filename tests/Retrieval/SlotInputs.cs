using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Tests;

/// <summary>What the decoder's trunk reads, laid out by hand.</summary>
internal sealed class SlotInputs(RetrievalModel model, ItemTable items)
{
    /// <param name="previous">[slots] the item before each slot of one window, -1: none.</param>
    /// <param name="vectors">[items + 1, dim] instead of the model's own.</param>
    public SlotInput Of(int[] previous, Tensor? vectors = null)
    {
        var leg = model.Generative!;
        var (layout, none) = (leg.Layout, leg.Config.TrainedItems);
        var dense = leg.Vectors is null
            ? null
            : (vectors ?? leg.Vectors).index_select(
                0, tensor(previous.Select(item => item < 0 || item >= none ? none : (long)item).ToArray()));
        return new SlotInput(
            tensor(layout.Whole(layout.Codes(items), previous), [previous.Length, layout.Depth]),
            arange(previous.Length, ScalarType.Int64), dense);
    }
}
