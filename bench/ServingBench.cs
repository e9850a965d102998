using Recsys.Catalog.Ports;
using Recsys.Retrieval.Service;

namespace Recsys.Bench;

/// <summary>Recommendations of one version: in this process, and from a server beside it that shares the machine with its
/// clients.</summary>
/// <param name="recommender">The version's, loaded here.</param>
/// <param name="exact">The same as it should answer: in float32, and with every item looked at; null: the version's does.</param>
/// <param name="plain">The same, computed by TorchSharp's operators.</param>
/// <param name="call">Asks the server for ten items behind a history.</param>
/// <param name="encode">Asks the server for the codes of so many items, all their embeddings sent; the second is the number of the
/// call. Null: the version has no codebook.</param>
/// <param name="histories">What is asked for, in turn.</param>
/// <param name="compared">Of those, that the exact answers are compared for.</param>
/// <param name="seconds">Of each load.</param>
internal sealed class ServingBench(
    IRecommender recommender, IRecommender? exact, IRecommender plain, Func<IReadOnlyList<int>, Task> call, Func<int, int, Task>? encode,
    IReadOnlyList<IReadOnlyList<int>> histories, int compared, double seconds, long seed)
{
    private const int K = 10, Clients = 8;
    private const double OpenShare = 0.7, SingleRate = 200;

    /// <summary>Items of one Encode, and calls of it at once: one is sent while another is computed.</summary>
    private const int Batch = 256, BatchCallers = 2;

    /// <param name="rounds">Rounds of all loads in turn, after one that is not counted.</param>
    /// <returns>Beside the goals or plain TorchSharp, in milliseconds; of rates the time that one request has.</returns>
    public async Task<List<BenchCase>> Run(int rounds, Action<string> log, CancellationToken cancel)
    {
        using var queue = new AnswerQueue(TimeProvider.System);
        var time = TimeSpan.FromSeconds(seconds);
        Func<int, Task> send = number => call(histories[number % histories.Count]);
        Task<ServingLoad> InProcess(IRecommender of, int callers) => ServingLoad.Closed(
            number => queue.Answer(of, new RecommendQuery(histories[number % histories.Count], K), DateTime.MaxValue, cancel),
            callers, time, cancel);
        var measured = new List<(string Name, double Ours, double? Peer, double Goal)>();
        for (int round = -1; round < rounds; round++)
        {
            var (alone, many) = (await InProcess(recommender, 1), await InProcess(recommender, Clients));
            var (plainAlone, plainMany) = (await InProcess(plain, 1), await InProcess(plain, Clients));
            var one = await ServingLoad.Closed(send, 1, time, cancel);
            var closed = await ServingLoad.Closed(send, Clients, time, cancel);
            var open = await ServingLoad.Open(send, OpenShare * closed.Rate, time, new Random((int)seed + round), cancel);
            log($"round {round + 1}: {closed.Rate:F1} requests a second of {Clients} clients");
            if (round >= 0)
            {
                measured.AddRange(
                [
                    ("one request in process, median", alone.Quantile(0.5), null, 5),
                    ("the same", alone.Quantile(0.5), plainAlone.Quantile(0.5), 0.3),
                    ($"{Clients} callers in process, 1000 / requests a second", 1e3 / many.Rate, 1e3 / plainMany.Rate, 0.1),
                    ("gRPC, 1 client, p50", one.Quantile(0.5), null, 15),
                    ($"gRPC, {Clients} clients, p50", closed.Quantile(0.5), null, 15),
                    ($"gRPC, {Clients} clients, p99", closed.Quantile(0.99), null, 40),
                    ($"gRPC, {Clients} clients, 1000 / requests a second", 1e3 / closed.Rate, null, 1e3 / 400),
                    ($"gRPC, {OpenShare:P0} of that rate, p99", open.Quantile(0.99), null, 60),
                ]);
                measured.AddRange(encode is null ? [] : await Encoding(encode, new Random((int)seed + round)));
            }
        }

        async Task<(string, double, double?, double)[]> Encoding(Func<int, int, Task> codes, Random random)
        {
            var batches = await ServingLoad.Closed(number => codes(Batch, number), BatchCallers, time, cancel);
            var single = await ServingLoad.Open(number => codes(1, number), SingleRate, time, random, cancel);
            return
            [
                ($"Encode over gRPC, batches of {Batch}, 1,000 items", 1e6 / (batches.Rate * Batch), null, 20),
                ($"Encode over gRPC, one item, {SingleRate} a second, p99", single.Quantile(0.99), null, 5),
            ];
        }

        return
        [
            .. measured.GroupBy(of => of.Name).Select(of => new BenchCase(
                of.Key, "ms", [.. of.Select(run => run.Ours)], [.. of.Select(run => run.Peer ?? run.Goal)],
                of.First().Peer is null ? "the goal" : "plain TorchSharp", null, of.First().Peer is null ? 1 : of.First().Goal)),
            .. exact is null ? [] : new[]
            {
                new BenchCase(
                    $"items of an answer of {K} that exact scores do not give, of 1,000", "", [Differing(exact, cancel)], [10], "the goal",
                    null, 1),
            },
        ];
    }

    /// <summary>Of a thousand items of answers, those in whose place there is another in the exact ones.</summary>
    private double Differing(IRecommender exact, CancellationToken cancel)
    {
        int differing = 0;
        foreach (var history in histories.Take(compared))
        {
            var query = new RecommendQuery(history, K);
            var expected = exact.Recommend(query, cancel).Select(answer => answer.Item);
            differing += recommender.Recommend(query, cancel).Select(answer => answer.Item).Except(expected).Count();
        }

        return 1e3 * differing / (K * Math.Min(compared, histories.Count));
    }
}
