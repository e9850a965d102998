using Recsys.Retrieval.Models;
using Recsys.Retrieval.Training;

namespace Recsys.Retrieval.Legs.Generative;

/// <summary>
/// Steps of TIGER's encoder-decoder: cross-entropy of the tokens of the one item behind a history that is read for it alone. Most steps
/// rehearse this at a fraction of the cost (<see cref="EncoderDecoder.ForwardShared"/>): one reading of a window, each token seeing what
/// came before it, serves all of the window's items. The last steps read as the network is used, each window cut at random.
/// </summary>
internal sealed class EncoderDecoderTraining(
    EncoderDecoder network, TokenLayout layout, RetrievalTrainingData data, GenerativeOptions options, long seed, Device device,
    Ranks ranks)
    : TokenTraining(network, [network], layout, data, options, new StepDraws(EncoderDecoder.Masks(options.Layers)), seed, device, ranks)
{
    /// <summary>One user of so many is unknown in a step, another one in the next: so the model learns what to do without.</summary>
    private const int UnknownEvery = 10;

    /// <summary>What tokens read and items written are filled up to a multiple of.</summary>
    private const int TokenGrain = 1024, TargetGrain = 128;

    private readonly long _seed = seed;

    protected override Tensor States(string?[] users, ArraySegment<int>[] windows)
    {
        int[] targets = [.. windows.Select(window => window[^1]), -1]; // the last fills up
        return network.Forward(Input(users, [.. windows.Select(window => window[..^1])]), Prefixes(targets), null)
            .narrow(0, 0, windows.Length);
    }

    /// <summary>−log P of the target items: the sum over their tokens, the mean over the whole batch's targets.</summary>
    protected override (Tensor Loss, Tensor Objective) Losses(StepPlan plan)
    {
        var batch = plan.Batch;
        if (batch.Users.Length == 0) // a rank's share may hold no window
        {
            var none = network.parameters().First().sum() * 0;
            return (none, none);
        }

        var dropout = new DropoutSeeds(Options.Dropout, plan.MaskSeeds, (long)plan.FirstSlot * Layout.Depth);
        var windows = Enumerable.Range(0, batch.Users.Length)
            .Select(window => new ArraySegment<int>(batch.Items, batch.Starts[window], batch.Starts[window + 1] - batch.Starts[window]))
            .ToArray();
        string?[] users = [.. batch.Users.Select(user => (user + Step) % UnknownEvery == 0 ? null : Data.Training.Users[user])];
        bool shared = Step < (1 - Options.WholeShare) * Total;
        var cuts = shared ? windows : Cut(windows, plan.FirstSlot);
        var input = Input(users, [.. cuts.Select(window => window[..^1])]);
        int[] asked = shared ? [.. windows.SelectMany(window => window[1..])] : [.. cuts.Select(window => window[^1]), -1];
        int[] targets = [.. asked, .. Enumerable.Repeat(-1, TargetGrain - (asked.Length % TargetGrain))];
        var states = shared ? network.ForwardShared(input, Prefixes(targets), dropout) : network.Forward(input, Prefixes(targets), dropout);
        // Of the whole batch: the items that follow one, or the windows, whose first items follow none.
        var loss = TokenLoss.Sum(network, states, Codes, targets) / (shared ? plan.Followers : plan.Targets - plan.Followers);
        return (loss, loss);
    }

    /// <summary>Each window up to an item drawn at random, its second at least; the same draw whenever the step is taken.</summary>
    private ArraySegment<int>[] Cut(ArraySegment<int>[] windows, int firstSlot)
    {
        var random = new Random(Seeds.ToInt32(_seed + (((long)Step << 24) + firstSlot)));
        return [.. windows.Select(window => window[..random.Next(2, window.Count + 1)])];
    }

    private EncoderInput Input(IReadOnlyList<string?> users, IReadOnlyList<ArraySegment<int>> histories) => EncoderInput.Of(
        Layout, Options.Users, users, histories,
        (item, tokens) => Codes.AsSpan(item * Layout.Depth, Layout.Depth).CopyTo(tokens), Device, TokenGrain);

    private Tensor Prefixes(int[] targets) =>
        tensor(Layout.Prefixes(Codes, targets), [targets.Length, Layout.Depth - 1], device: Device);
}
