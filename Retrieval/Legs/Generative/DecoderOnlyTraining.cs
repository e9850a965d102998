using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Models;
using Recsys.Retrieval.Training;

namespace Recsys.Retrieval.Legs.Generative;

/// <summary>
/// Steps of the decoder: cross-entropy at every token of every window; beside it, of some items, that towards what the ID leg expects
/// (<see cref="PrefixLabels"/>).
/// </summary>
/// <param name="teacher">The ID leg, trained; null: there is none.</param>
internal sealed class DecoderOnlyTraining(
    DecoderOnly network, ItemVectors? vectors, TokenLayout layout, RetrievalTrainingData data, GenerativeOptions options, DenseLeg? teacher,
    long seed, Device device, Ranks ranks)
    : TokenTraining(
        network, vectors is null ? [network] : [network, vectors], layout, data, options,
        new StepDraws(DecoderOnly.Masks(options), vectors is null ? 0 : options.DenseDropout), seed, device, ranks)
{
    /// <summary>One item of so many is distilled in a step, another one in the next: labels are sums over the whole catalogue.</summary>
    private const int DistilledEvery = 2;

    private readonly PrefixLabels? _labels =
        teacher is null || options.Distillation == 0 ? null : new PrefixLabels(teacher, data, layout);

    /// <summary>−log P of the target items: the sum over their tokens, the mean over the whole batch's items.</summary>
    protected override (Tensor Loss, Tensor Objective) Losses(StepPlan plan)
    {
        var batch = plan.Batch;
        var states = States(batch, plan.Hidden, plan);
        var loss = TokenLoss.Sum(network, states, Codes, batch.Items) / plan.Targets;
        if (_labels is null)
        {
            return (loss, loss);
        }

        int[] slots = [.. Enumerable.Range(0, batch.Items.Length)
            .Where(slot => batch.Previous[slot] >= 0 && (plan.FirstSlot + slot + Step) % DistilledEvery == 0)];
        var objective = (1 - Options.Distillation) * loss;
        if (slots.Length > 0)
        {
            var distilled = states.index_select(0, tensor(Array.ConvertAll(slots, slot => (long)slot), device: Device));
            var away = TokenLoss.Sum(network, distilled, _labels.Of(batch, slots)) * DistilledEvery / plan.Followers;
            objective = objective + (Options.Distillation * away);
        }

        return (loss, objective);
    }

    protected override Tensor States(string?[] users, ArraySegment<int>[] windows)
    {
        int[] lengths = [.. windows.Select(window => window.Count)], starts = new int[windows.Length + 1];
        for (int row = 0; row < lengths.Length; row++)
        {
            starts[row + 1] = starts[row] + lengths[row];
        }

        var batch = new PackedBatch(
            [.. windows.SelectMany(window => window)], [.. windows.SelectMany(window => window[..^1].Prepend(-1))],
            [.. lengths.SelectMany(length => Enumerable.Range(0, length))], starts);
        return States(batch, null, null).index_select(0, tensor(Array.ConvertAll(starts[1..], end => end - 1L), device: Device));
    }

    /// <param name="hidden">[slots] whether the vector of the item before is hidden; null: none is.</param>
    /// <param name="plan">Where the dropout's masks come from; null: there are none.</param>
    /// <returns>[slots, depth, dim] what predicts each token.</returns>
    private Tensor States(PackedBatch batch, bool[]? hidden, StepPlan? plan)
    {
        int depth = Layout.Depth, slots = batch.Items.Length, masks = DropoutSeeds.Count(Options.Layers);
        DropoutSeeds? Draws(double p, Range range, int rows) =>
            plan is null ? null : new DropoutSeeds(p, plan.MaskSeeds[range], (long)plan.FirstSlot * rows);
        Tensor? previous = null;
        if (vectors is not null)
        {
            var indexes = batch.Previous.Select((item, slot) => item < 0 || hidden?[slot] == true ? vectors.None : (long)item).ToArray();
            previous = vectors.Forward(tensor(indexes, device: Device));
        }

        var input = new SlotInput(
            tensor(Layout.Whole(Codes, batch.Previous), [slots, depth], device: Device),
            tensor(Array.ConvertAll(batch.Positions, at => (long)at), device: Device),
            previous);
        var starts = tensor(Array.ConvertAll(batch.Starts, start => (long)start));
        var states = network.Read(input, starts, Draws(Options.Dropout, ..masks, 1));
        var prefixes = tensor(Layout.Prefixes(Codes, batch.Items), [slots, depth - 1], device: Device);
        return network.Write(states, prefixes, Draws(Options.DepthDropout, masks.., depth));
    }
}
