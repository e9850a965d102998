using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Tests;

/// <summary>The decoder's input for one history, laid out by hand.</summary>
internal sealed class SlotInputs(RetrievalModel model, ItemTable items)
{
    public SlotInput Of(int[] history)
    {
        int[] window = [.. history, -1], previous = [-1, .. history];
        var (layout, vectors, none) = (model.Generative!.Layout, model.Generative.Vectors, model.Config.TrainedItems);
        var dense = vectors?.index_select(0, tensor(previous.Select(item => item < 0 ? none : (long)item).ToArray())).unsqueeze(0);
        return new SlotInput(
            tensor(layout.Tokens(layout.Codes(items), window, previous), [1, window.Length, layout.Depth]),
            arange(window.Length, ScalarType.Int64).unsqueeze(0), dense);
    }
}
