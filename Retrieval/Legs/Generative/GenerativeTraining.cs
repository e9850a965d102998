using Recsys.Retrieval.Models;
using Recsys.Retrieval.Training;

namespace Recsys.Retrieval.Legs.Generative;

/// <summary>Steps of the decoder: cross-entropy at every token of every window.</summary>
internal sealed class GenerativeTraining(
    DecoderOnly network, ItemVectors? vectors, TokenLayout layout, RetrievalTrainingData data, GenerativeOptions options, long seed,
    Device device, Ranks ranks)
    : LegTraining(
        vectors is null ? [network] : [network, vectors], data.Training, options,
        new StepDraws(DecoderOnly.Masks(options), vectors is null ? 0 : options.DenseDropout), seed, device, ranks),
        IGenerativeTraining
{
    private readonly int[] _codes = layout.Codes(data.Items);

    /// <summary>−log P of the target items: the sum over their tokens, the mean over the whole batch's items.</summary>
    protected override (Tensor Loss, Tensor Objective) Losses(StepPlan plan)
    {
        var sum = TokenLoss.Sum(network, States(plan.Batch, plan.Hidden, plan), _codes, plan.Batch.Items);
        var loss = sum / plan.Targets;
        return (loss, loss);
    }

    public double LogProbability(HeldOut held)
    {
        using var _ = no_grad();
        network.eval();
        double sum = 0;
        foreach (var users in Enumerable.Range(0, held.Count).Chunk(512))
        {
            using var scope = NewDisposeScope();
            var batch = Windows(held, users);
            var asked = new int[batch.Items.Length];
            Array.Fill(asked, -1);
            foreach (int end in batch.Starts.Skip(1)) // of each window's last item alone
            {
                asked[end - 1] = batch.Items[end - 1];
            }

            sum += TokenLoss.Sum(network, States(batch, null, null), _codes, asked).item<float>();
        }

        network.train();
        return -sum / held.Count;
    }

    /// <summary>Each user's latest items and the target behind them, end to end.</summary>
    private PackedBatch Windows(HeldOut held, int[] users)
    {
        var (items, previous, positions, starts) = (new List<int>(), new List<int>(), new List<int>(), new List<int> { 0 });
        foreach (int user in users)
        {
            var window = held.Histories[user].TakeLast(options.History).Append(held.Targets[user]).ToArray();
            items.AddRange(window);
            previous.AddRange(window[..^1].Prepend(-1));
            positions.AddRange(Enumerable.Range(0, window.Length));
            starts.Add(items.Count);
        }

        return new PackedBatch([.. items], [.. previous], [.. positions], [.. starts]);
    }

    /// <param name="hidden">[slots] whether the vector of the item before is hidden; null: none is.</param>
    /// <param name="plan">Where the dropout's masks come from; null: there are none.</param>
    /// <returns>[slots, depth, dim] what predicts each token.</returns>
    private Tensor States(PackedBatch batch, bool[]? hidden, StepPlan? plan)
    {
        int depth = layout.Depth, slots = batch.Items.Length, masks = DropoutSeeds.Count(options.Layers);
        DropoutSeeds? Draws(double p, Range range, int rows) =>
            plan is null ? null : new DropoutSeeds(p, plan.MaskSeeds[range], (long)plan.FirstSlot * rows);
        Tensor? previous = null;
        if (vectors is not null)
        {
            var indexes = batch.Previous.Select((item, slot) => item < 0 || hidden?[slot] == true ? vectors.None : (long)item).ToArray();
            previous = vectors.Forward(tensor(indexes, device: Device));
        }

        var input = new SlotInput(
            tensor(layout.Whole(_codes, batch.Previous), [slots, depth], device: Device),
            tensor(Array.ConvertAll(batch.Positions, at => (long)at), device: Device),
            previous);
        var starts = tensor(Array.ConvertAll(batch.Starts, start => (long)start));
        var states = network.Read(input, starts, Draws(options.Dropout, ..masks, 1));
        var own = tensor(layout.Own(_codes, batch.Items), [slots, depth - 1], device: Device);
        return network.Write(states, own, Draws(options.DepthDropout, masks.., depth));
    }
}
