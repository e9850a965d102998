using System.Diagnostics;
using System.Globalization;

namespace Recsys.Bench;

/// <summary>What is measured side by side. Each side prepares once and then gives one number a call, in milliseconds but where the unit
/// is another.</summary>
/// <param name="Name">Of the case; cases of one name have one side of ours and several peers.</param>
/// <param name="Key">What the peers' process knows it by.</param>
/// <param name="Peer">Null: there is none.</param>
/// <param name="PeerGoal">Largest ratio to the peer that the project is content with; null: none was set.</param>
/// <param name="BeforeGoal">The same to an earlier build.</param>
/// <param name="Floor">Seconds that the machine's arithmetic or memory alone would take; null: says nothing.</param>
/// <param name="Calls">A round takes the median of so many calls.</param>
/// <param name="Limit">What stands in the place of a peer: the most that the project is content with.</param>
internal sealed record SuiteCase(
    string Name, string Key, Func<Func<double>> Ours, Func<Func<double>>? Peer, double? PeerGoal, double? BeforeGoal = null,
    Func<double>? Floor = null, int Calls = 1, string PeerName = SuiteCase.Plain, double? Limit = null, string Unit = "ms")
{
    public const string Plain = "plain TorchSharp", PlainFloat = "plain TorchSharp, float32";

    /// <summary>The most memory that this process holds during one call of some work, as the kernel counts it, in MB.</summary>
    public static Func<double> Peak(Action work) => () =>
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive);
        File.WriteAllText("/proc/self/clear_refs", "5"); // the peak counts from here
        work();
        string peak = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return double.Parse(peak.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    };

    /// <summary>One call of some work, timed.</summary>
    public static Func<double> Timed(Action work) => () =>
    {
        long started = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    };
}

/// <summary>Cases beside their peers and beside an earlier build, each side in a process of its own, round by round in one run.</summary>
internal sealed class BenchSuite(string name, IReadOnlyList<SuiteCase> cases)
{
    /// <summary>All suites, by the name that <c>recsys bench</c> knows them by.</summary>
    public static IReadOnlyList<BenchSuite> All { get; } =
    [
        new("torch", TorchBench.Cases), new("quantizer", QuantizerBench.Cases), new("retrieval", RetrievalBench.Cases),
        new("decoding", DecodingBench.Cases),
    ];

    public string Name => name;

    /// <param name="rounds">Rounds of each case, all sides in turn.</param>
    /// <param name="only">Part of the names of the cases to run; empty for all.</param>
    /// <param name="peer">Answers as <see cref="AnswerAsPeer"/> does.</param>
    /// <param name="before">The earlier build; null: not measured.</param>
    public List<BenchCase> Run(int rounds, string only, BenchPeer peer, BenchPeer? before, Action<string> log, CancellationToken cancel)
    {
        var results = new List<BenchCase>();
        foreach (var measured in cases.Where(c => c.Name.Contains(only, StringComparison.OrdinalIgnoreCase)))
        {
            using var scope = NewDisposeScope();
            Func<double> ours = measured.Ours();
            Func<double>? plain = measured.Peer is null ? null : () => peer.Run(measured.Key);
            Func<double>? earlier = before is null || measured.BeforeGoal is null ? null : () => before.Run(measured.Key);
            var runs = (Ours: new double[rounds], Plain: new double[rounds], Before: new double[rounds]);
            for (int round = -1; round < rounds; round++)
            {
                cancel.ThrowIfCancellationRequested();
                double? Turn(Func<double>? side) =>
                    side is null ? null : BenchCase.Median([.. Enumerable.Range(0, measured.Calls).Select(_ => side())]);
                var (a, b, c) = (Turn(ours)!.Value, Turn(plain), Turn(earlier));
                if (round >= 0)
                {
                    (runs.Ours[round], runs.Plain[round], runs.Before[round]) = (a, b ?? 0, c ?? 0);
                }
            }

            double? floor = measured.Floor?.Invoke() * 1e3;
            if (plain is not null)
            {
                results.Add(new BenchCase(measured.Name, "ms", runs.Ours, runs.Plain, measured.PeerName, floor, measured.PeerGoal));
            }

            if (measured.Limit is { } limit)
            {
                results.Add(new BenchCase(
                    measured.Name, measured.Unit, runs.Ours, [.. Enumerable.Repeat(limit, rounds)], "the limit", floor, 1));
            }
            else if (earlier is not null || plain is null)
            {
                results.Add(
                    new BenchCase(
                        measured.Name, "ms", runs.Ours, earlier is null ? null : runs.Before, earlier is null ? null : before!.Name, floor,
                        earlier is null ? null : measured.BeforeGoal));
            }

            log($"{measured.Name}: {results[^1].Ours:G4} {results[^1].Unit}");
        }

        return results;
    }

    /// <summary>The peers' side of <see cref="BenchPeer"/>: a case's key a line on the one hand, its milliseconds on the other,
    /// warm.</summary>
    public void AnswerAsPeer(TextReader input, TextWriter output)
    {
        var work = new Dictionary<string, Func<double>>();
        while (input.ReadLine() is { } key)
        {
            if (!work.TryGetValue(key, out var run))
            {
                work.Clear(); // what the case before held
                work[key] = run = cases.First(c => c.Key == key && c.Peer is not null).Peer!();
                run();
            }

            output.WriteLine(run().ToString("R", CultureInfo.InvariantCulture));
            output.Flush();
        }
    }
}
