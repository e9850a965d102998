using Recsys.Retrieval.Models;
using Recsys.Retrieval.Training;

namespace Recsys.Retrieval.Legs.Generative;

/// <summary>Steps of the generative leg: cross-entropy at every token of every window.</summary>
internal sealed class GenerativeTraining(
    DecoderOnly network, ItemVectors? vectors, TokenLayout layout, RetrievalTrainingData data, GenerativeOptions options, long seed,
    Device device, Ranks ranks)
    : LegTraining(
        vectors is null ? [network] : [network, vectors], data.Training, options,
        new StepDraws(DropoutSeeds.Count(options.Layers), vectors is null ? 0 : options.DenseDropout), seed, device, ranks),
        IGenerativeTraining
{
    private readonly int[] _codes = layout.Codes(data.Items);

    /// <summary>−log P of the target items: the sum over their tokens, the mean over the whole batch's items.</summary>
    protected override (Tensor Loss, Tensor Objective) Losses(StepPlan plan)
    {
        var sum = NegativeLogProbability(
            plan.Batch, plan.Hidden, plan.MaskSeeds is null
                ? null
                : new DropoutSeeds(options.Dropout, plan.MaskSeeds, (long)plan.FirstSlot * layout.Depth));
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
            sum += NegativeLogProbability(Windows(held, users), null, null, last: true).item<float>();
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
    /// <param name="last">Of each window's last item alone.</param>
    private Tensor NegativeLogProbability(PackedBatch batch, bool[]? hidden, DropoutSeeds? dropout, bool last = false)
    {
        int depth = layout.Depth, slots = batch.Items.Length;
        Tensor? previous = null;
        if (vectors is not null)
        {
            var indexes = batch.Previous.Select((item, slot) => item < 0 || hidden?[slot] == true ? vectors.None : (long)item).ToArray();
            previous = vectors.Forward(tensor(indexes, [1, slots], device: Device));
        }

        var input = new SlotInput(
            tensor(layout.Tokens(_codes, batch.Items, batch.Previous), [1, slots, depth], device: Device),
            tensor(Array.ConvertAll(batch.Positions, at => (long)at), [1, slots], device: Device),
            previous);
        var states = network.Forward(input, tensor(Array.ConvertAll(batch.Starts, start => (long)start * depth)), dropout);
        var asked = batch.Items.ToArray();
        if (last)
        {
            Array.Fill(asked, -1);
            foreach (int end in batch.Starts.Skip(1))
            {
                asked[end - 1] = batch.Items[end - 1];
            }
        }

        return TokenLoss.Sum(network, states, _codes, asked);
    }
}
