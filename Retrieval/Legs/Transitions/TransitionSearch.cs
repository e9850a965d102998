using System.Collections.Concurrent;
using Recsys.Retrieval.Evaluation;

namespace Recsys.Retrieval.Legs.Transitions;

/// <summary>
/// Chooses how transitions are counted and read, by NDCG@10 on validation targets: one value after the other, each the best of its grid
/// with the others as they are, until none changes. A shop has no paper to copy such values from.
/// </summary>
internal static class TransitionSearch
{
    private const int MaxUsers = 10_000, MaxRounds = 3, K = 10;

    private static readonly int[] Windows = [1, 3, 10, 20, 50];
    private static readonly double[] DistancePowers = [0, 0.25, 0.5, 0.75, 1, 2];
    private static readonly double[] EvidenceScales = [0.1, 0.3, 0.6, 1, 1.7, 3, 10];
    private static readonly double[] Recencies = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
    private static readonly double[] Popularities = [-0.1, -0.04, -0.02, 0, 0.02, 0.05, 0.1, 0.2];

    public static TransitionReading Choose(
        SequenceSet training, int items, TransitionOptions options, HeldOut held, CancellationToken cancel)
    {
        held = held.Draw(MaxUsers, seed: 1);
        var known = new Dictionary<TransitionReading, double>();
        var tables = new Dictionary<(int, double), TransitionTable>();
        var best = Given(options, TransitionReading.Usual);
        for (int round = 0; round < MaxRounds; round++)
        {
            var before = best;
            Try(options.Window is null ? Windows : [], (reading, value) => reading with { Window = value });
            Try(options.DistancePower is null ? DistancePowers : [], (reading, value) => reading with { DistancePower = value });
            Try(options.Recency is null ? Recencies : [], (reading, value) => reading with { Recency = value });
            Try(options.EvidenceScale is null ? EvidenceScales : [], (reading, value) => reading with { EvidenceScale = value });
            Try(options.Popularity is null ? Popularities : [], (reading, value) => reading with { Popularity = value });
            if (best == before)
            {
                break;
            }
        }

        return best;

        void Try<T>(T[] values, Func<TransitionReading, T, TransitionReading> with)
        {
            var candidates = values.Select(value => with(best, value)).Prepend(best).Distinct().ToArray();
            best = candidates.MaxBy(Judge)!; // of equal ones the first: what stood before
        }

        double Judge(TransitionReading reading)
        {
            cancel.ThrowIfCancellationRequested();
            if (!known.TryGetValue(reading, out double gain))
            {
                if (!tables.TryGetValue((reading.Window, reading.DistancePower), out var table))
                {
                    tables.Clear(); // one at a time: the next values are tried with this one
                    tables[(reading.Window, reading.DistancePower)] = table = Count(training, items, options, reading);
                }

                known[reading] = gain = Ndcg(new TransitionLeg(table, reading, options.History), held);
            }

            return gain;
        }
    }

    /// <summary>What the options say, and for the rest another reading.</summary>
    public static TransitionReading Given(TransitionOptions options, TransitionReading otherwise) => new(
        options.Window ?? otherwise.Window, options.DistancePower ?? otherwise.DistancePower,
        options.EvidenceScale ?? otherwise.EvidenceScale, options.Recency ?? otherwise.Recency,
        options.Popularity ?? otherwise.Popularity);

    public static TransitionTable Count(SequenceSet training, int items, TransitionOptions options, TransitionReading reading) =>
        TransitionTable.Count(
            training, items, reading.Window, distance => Math.Pow(distance, -reading.DistancePower), options.MaxFollowers);

    /// <summary>NDCG@10 with the history's items passed over, unless the target is one of them: what is repeated, another part of the
    /// sum decides. Ties by item index, as everywhere: most items have no evidence, and a target among them must not come first.</summary>
    internal static double Ndcg(TransitionLeg leg, HeldOut held)
    {
        float[] priors = [.. Enumerable.Range(0, leg.Table.Items).Select(leg.Priors.Of)];
        var order = priors.Select((prior, item) => (prior, item)).OrderByDescending(at => at.prior).ThenBy(at => at.item).ToArray();
        var gains = new double[held.Count];
        Parallel.ForEach(
            Partitioner.Create(0, held.Count), () => (Scores: priors.ToArray(), Touched: new HashSet<int>()), (range, _, at) =>
            {
                for (int user = range.Item1; user < range.Item2; user++)
                {
                    gains[user] = RankingMetrics.Ndcg(Rank(leg, held.Histories[user], held.Targets[user], order, at.Scores, at.Touched), K);
                }

                return at;
            }, _ => { });
        return gains.Average();
    }

    /// <summary>Place of the target from 0, looking at the items with evidence alone: how many of all items have a better prior is
    /// known.</summary>
    /// <param name="order">[items] all items by their priors, best first.</param>
    /// <param name="scores">[items] the priors, which they are again at the end.</param>
    private static int Rank(
        TransitionLeg leg, int[] history, int target, (float Prior, int Item)[] order, float[] scores, HashSet<int> touched)
    {
        leg.Add(history, scores, item => touched.Add(item));
        touched.UnionWith(history);
        touched.Add(target);
        bool repeats = history.Contains(target);
        float score = scores[target];
        bool Above(float other, int item) => other > score || (other == score && item < target);
        int above = Count(order, at => Above(at.Prior, at.Item));
        foreach (int item in touched)
        {
            bool passed = !repeats && item != target && history.Contains(item);
            above += !passed && Above(scores[item], item) ? 1 : 0;
            above -= Above(leg.Priors.Of(item), item) ? 1 : 0;
        }

        foreach (int item in touched)
        {
            scores[item] = leg.Priors.Of(item);
        }

        touched.Clear();
        return above;
    }

    /// <summary>How many of a sequence hold, where those that do come first.</summary>
    private static int Count((float, int)[] order, Func<(float Prior, int Item), bool> holds)
    {
        int low = 0, high = order.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = holds(order[middle]) ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}
