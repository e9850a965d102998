using Recsys.Catalog.Ports;
using Recsys.Retrieval.Service;

namespace Recsys.Bench;

/// <summary>Recommendations of one version: in this process, and from a server beside it that shares the machine with its
/// clients.</summary>
/// <param name="recommender">The version's, loaded here.</param>
/// <param name="call">Asks the server for ten items behind a history.</param>
/// <param name="histories">What is asked for, in turn.</param>
/// <param name="seconds">Of each load.</param>
internal sealed class ServingBench(
    IRecommender recommender, Func<IReadOnlyList<int>, Task> call, IReadOnlyList<IReadOnlyList<int>> histories, double seconds, long seed)
{
    private const int K = 10, Clients = 8;
    private const double OpenShare = 0.7;

    /// <param name="rounds">Rounds of all loads in turn, after one that is not counted.</param>
    /// <returns>Beside the goals, in milliseconds; of rates the time that one request has.</returns>
    public async Task<List<BenchCase>> Run(int rounds, Action<string> log, CancellationToken cancel)
    {
        using var queue = new AnswerQueue(TimeProvider.System);
        var time = TimeSpan.FromSeconds(seconds);
        Func<int, Task> send = number => call(histories[number % histories.Count]);
        (string Name, double Goal)[] cases =
        [
            ("one request in process, median", 5), ("gRPC, 1 client, p50", 15), ($"gRPC, {Clients} clients, p50", 15),
            ($"gRPC, {Clients} clients, p99", 40), ($"gRPC, {Clients} clients, 1000 / requests a second", 1e3 / 400),
            ($"gRPC, {OpenShare:P0} of that rate, p99", 60),
        ];
        var runs = cases.Select(_ => new double[rounds]).ToArray();
        for (int round = -1; round < rounds; round++)
        {
            var alone = ServingLoad.Closed(
                number => queue.Answer(
                    recommender, new RecommendQuery(histories[number % histories.Count], K), DateTime.MaxValue, cancel),
                1, time, cancel);
            double inProcess = (await alone).Quantile(0.5);
            var one = await ServingLoad.Closed(send, 1, time, cancel);
            var closed = await ServingLoad.Closed(send, Clients, time, cancel);
            var open = await ServingLoad.Open(send, OpenShare * closed.Rate, time, new Random((int)seed + round), cancel);
            log($"round {round + 1}: {closed.Rate:F1} requests a second of {Clients} clients");
            double[] found =
                [inProcess, one.Quantile(0.5), closed.Quantile(0.5), closed.Quantile(0.99), 1e3 / closed.Rate, open.Quantile(0.99)];
            for (int at = 0; round >= 0 && at < found.Length; at++)
            {
                runs[at][round] = found[at];
            }
        }

        return [.. cases.Zip(runs, (of, values) => new BenchCase(
            of.Name, "ms", values, [.. Enumerable.Repeat(of.Goal, rounds)], "the goal", null, 1))];
    }
}
