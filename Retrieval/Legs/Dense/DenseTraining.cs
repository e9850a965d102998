using Recsys.Retrieval.Models;
using Recsys.Retrieval.Training;

namespace Recsys.Retrieval.Legs.Dense;

/// <summary>Steps of a dense leg: softmax over the whole catalogue behind every item of every window.</summary>
internal sealed class DenseTraining(
    SequenceEncoder encoder, ItemVectors vectors, SequenceSet training, DenseOptions options, long seed, Device device, Ranks ranks)
    : LegTraining([encoder, vectors], training, options, new StepDraws(DropoutSeeds.Count(options.Layers)), seed, device, ranks)
{
    /// <summary>Share of repeated items in the training part from which on items of the history are candidates.</summary>
    private const double Repeats = 0.01;

    /// <summary>Cells of the [targets, items] matrix that are held at once.</summary>
    private const int MaxCells = 1 << 27;

    /// <summary>Items with a training interaction: the others would be taught to be unlikely by never being a target.</summary>
    private readonly long[] _ranked = [.. training.Items.Distinct().Order().Select(item => (long)item)];

    private readonly bool _ranksSeen = RanksSeen(training, options);

    /// <summary>Whether an item of the history is a candidate for the next place.</summary>
    public static bool RanksSeen(SequenceSet training, DenseOptions options) => options.RankSeen ?? RepeatShare(training) >= Repeats;

    protected override (Tensor Loss, Tensor Objective) Losses(StepPlan plan)
    {
        var batch = plan.Batch;
        Tensor Indexes(IEnumerable<long> values) => tensor(values.ToArray(), device: Device);
        var table = vectors.Table(); // [items + 1, dim]
        var previous = table.index_select(0, Indexes(batch.Previous.Select(item => item < 0 ? vectors.None : (long)item)));
        var dropout = new DropoutSeeds(options.Dropout, plan.MaskSeeds, plan.FirstSlot);
        var states = encoder.Forward(
            previous, Indexes(batch.Positions.Select(at => (long)at)), tensor(Array.ConvertAll(batch.Starts, start => (long)start)),
            dropout)
            .to(ScalarType.Float32); // [slots, dim]
        // The first item of a window follows nothing and would teach popularity alone.
        long[] targets = [.. Enumerable.Range(0, batch.Items.Length).Where(slot => batch.Previous[slot] >= 0).Select(slot => (long)slot)];
        Tensor loss = zeros(1, device: Device).squeeze(), objective = states.sum() * 0;
        bool all = _ranked.Length == vectors.None;
        var candidates = all ? table.narrow(0, 0, vectors.None) : table.index_select(0, Indexes(_ranked)); // [ranked, dim]
        long Place(int item) => all ? item : Array.BinarySearch(_ranked, item);
        foreach (var some in targets.Chunk(Math.Max(64, MaxCells / _ranked.Length)))
        {
            var (part, surrogate) = FullSoftmaxLoss.Of(
                states.index_select(0, Indexes(some)), candidates, Indexes(some.Select(slot => Place(batch.Items[slot]))),
                plan.Followers, _ranksSeen ? null : Seen(batch, some));
            (loss, objective) = (loss + part, objective + surrogate);
        }

        return (loss, objective);

        (Tensor Rows, Tensor Items) Seen(PackedBatch batch, long[] slots)
        {
            var (rows, items) = (new List<long>(), new List<long>());
            for (int row = 0; row < slots.Length; row++)
            {
                int target = batch.Items[slots[row]];
                for (long slot = slots[row]; batch.Previous[slot] >= 0; slot--) // back to the window's first slot
                {
                    if (batch.Previous[slot] != target)
                    {
                        rows.Add(row);
                        items.Add(Place(batch.Previous[slot]));
                    }
                }
            }

            return (Indexes(rows), Indexes(items));
        }
    }

    /// <summary>Share of the interactions whose item the user has had before.</summary>
    private static double RepeatShare(SequenceSet training) =>
        1 - (Enumerable.Range(0, training.Count).Sum(user => (double)training[user].ToArray().ToHashSet().Count)
            / Math.Max(1, training.Items.Length));
}
