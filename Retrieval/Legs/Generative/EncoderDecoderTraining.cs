using Recsys.Retrieval.Models;
using Recsys.Retrieval.Training;

namespace Recsys.Retrieval.Legs.Generative;

/// <summary>
/// Steps of TIGER's encoder-decoder: of each window a history, cut at random, and cross-entropy of the tokens of the one item behind it.
/// What is read is read for that item alone, so a user is asked once a pass, not at every item.
/// </summary>
internal sealed class EncoderDecoderTraining(
    EncoderDecoder network, TokenLayout layout, RetrievalTrainingData data, GenerativeOptions options, long seed, Device device,
    Ranks ranks)
    : LegTraining(
        [network], data.Training, options, new StepDraws(EncoderDecoder.Masks(options.Layers), Hidden: 0, Cuts: true), seed, device,
        ranks), IGenerativeTraining
{
    /// <summary>One user of so many is unknown in a step, another one in the next: so the model learns what to do without.</summary>
    private const int UnknownEvery = 10;

    private readonly int[] _codes = layout.Codes(data.Items);

    public double LogProbability(HeldOut held)
    {
        using var _ = no_grad();
        network.eval();
        double sum = 0;
        foreach (var users in Enumerable.Range(0, held.Count).Chunk(512))
        {
            using var scope = NewDisposeScope();
            sum += NegativeLogProbability(
                [.. users.Select(user => held.Users?[user])],
                [.. users.Select(user => new ArraySegment<int>([.. held.Histories[user].TakeLast(options.History)]))],
                [.. users.Select(user => held.Targets[user])], null).item<float>();
        }

        network.train();
        return -sum / held.Count;
    }

    /// <summary>−log P of the target items: the sum over their tokens, the mean over the whole batch's windows.</summary>
    protected override (Tensor Loss, Tensor Objective) Losses(StepPlan plan)
    {
        var batch = plan.Batch;
        var (users, histories, targets) = (new List<string?>(), new List<ArraySegment<int>>(), new List<int>());
        for (int window = 0; window < batch.Users.Length; window++)
        {
            int first = batch.Starts[window], length = batch.Starts[window + 1] - first;
            users.Add((batch.Users[window] + Step) % UnknownEvery == 0 ? null : data.Training.Users[batch.Users[window]]);
            histories.Add(new ArraySegment<int>(batch.Items, first, length - 1));
            targets.Add(batch.Items[first + length - 1]);
        }

        var loss = targets.Count == 0 // a rank's share may hold none
            ? network.parameters().First().sum() * 0
            : NegativeLogProbability(
                users, histories, [.. targets],
                plan.MaskSeeds is null ? null : new DropoutSeeds(options.Dropout, plan.MaskSeeds, (long)plan.FirstSlot * layout.Depth))
                / (plan.Targets - plan.Followers); // windows: their first items follow none
        return (loss, loss);
    }

    private Tensor NegativeLogProbability(
        IReadOnlyList<string?> users, IReadOnlyList<ArraySegment<int>> histories, int[] targets, DropoutSeeds? dropout)
    {
        int depth = layout.Depth;
        var input = EncoderInput.Of(
            layout, options.Users, users, histories, (item, tokens) => _codes.AsSpan(item * depth, depth).CopyTo(tokens), Device);
        int[] none = [.. Enumerable.Repeat(-1, targets.Length)];
        var next = tensor(layout.Tokens(_codes, targets, none), [targets.Length, depth], device: Device);
        return TokenLoss.Sum(network, network.Forward(input, next, dropout), _codes, targets);
    }
}

/// <summary>Trains a network that decodes semantic IDs.</summary>
internal interface IGenerativeTraining
{
    /// <summary>The mean log-probability of held-out targets.</summary>
    double LogProbability(HeldOut held);
}
