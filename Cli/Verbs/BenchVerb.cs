using System.CommandLine;
using System.Globalization;
using Recsys.Bench;
using Recsys.Catalog;
using Recsys.Cli.Terminal;
using Recsys.Jobs;

namespace Recsys.Cli.Verbs;

/// <summary>Measurements beside peers, one verb a suite.</summary>
internal static class BenchVerb
{
    private static readonly Option<int> Rounds = VerbOption.Of("--rounds", "Rounds of each case, all sides in turn (1 to 1000).", 7);
    private static readonly Option<string> Only = VerbOption.Of("--only", "Only the cases whose names contain this.", "");
    private static readonly Option<string?> Before =
        VerbOption.Of<string?>("--before", "A checkout of an earlier commit, built there: it is measured too (see bench/before).");
    private static readonly Option<string?> Data =
        VerbOption.Of<string?>("--data", "A dataset folder: the peak memory of its rebuild is measured too, once.");
    private static readonly Option<bool> AsPeer = new("--as-peer") { Hidden = true };

    private const string Torch = "torch";

    private static readonly Dictionary<string, string> About = new()
    {
        [Torch] = "Training, sampling, optimiser, beam search and memory beside plain TorchSharp and an earlier build.",
        ["quantizer"] = "Encoding and training of semantic IDs beside FAISS and plain TorchSharp.",
        ["retrieval"] = "Training of the legs beside plain TorchSharp.",
        ["decoding"] = "Tries of a million items, and decoding beside a small catalogue.",
    };

    public static Command Create()
    {
        var command = new Command("bench", "Measurements side by side with a peer, in one run.");
        foreach (var suite in BenchSuite.All)
        {
            var verb = new Command(suite.Name, About[suite.Name]) { Rounds, Only, AsPeer };
            if (suite.Name == Torch)
            {
                verb.Add(Before);
                verb.Add(Data);
            }

            verb.OnCompute((parsed, cancel) => Task.Run(() => Run(suite, parsed, cancel), cancel));
            command.Add(verb);
        }

        command.Add(BenchServingVerb.Create());
        command.Add(BenchStoreVerb.Create());
        return command;
    }

    private static VerbResult Run(BenchSuite suite, ParseResult parsed, CancellationToken cancel)
    {
        if (parsed.GetValue(AsPeer))
        {
            suite.AnswerAsPeer(Console.In, Console.Out);
            return new VerbResult(new { }, _ => { });
        }

        int rounds = parsed.GetValue(Rounds);
        if (rounds is < 1 or > 1000)
        {
            throw CatalogException.Invalid($"--rounds {rounds}: allowed are 1 to 1000.");
        }

        bool torch = suite.Name == Torch;
        string? clone = torch && parsed.GetValue(Before) is { } folder ? Path.GetFullPath(folder) : null;
        using var earlier = clone is null ? null : BenchPeer.StartBefore(clone, BeforeProgram);
        using var plain = BenchPeer.StartPeers(ThisProgram.With("bench", suite.Name, AsPeer.Name));
        var cases = suite.Run(
            rounds, parsed.GetValue(Only)!, plain, earlier, line => Console.Error.WriteLine($"recsys: {line}"), cancel);
        if (torch && parsed.GetValue(Data) is { } dataset)
        {
            cases.Add(RebuildMemory.Run(ThisProgram.With(), dataset, clone, earlier?.Name, cancel));
        }

        if (cases.Count == 0)
        {
            throw CatalogException.Invalid(
                $"--only {parsed.GetValue(Only)}: no case of 'bench {suite.Name}' has that in its name; leave it out to see them all.");
        }

        return Result(suite.Name, cases);
    }

    /// <param name="about">What was measured, where the names of the cases do not say it.</param>
    public static VerbResult Result(string bench, IReadOnlyList<BenchCase> cases, string? about = null)
    {
        string machine = $"{Machine.Description}, {TorchSharp.torch.get_num_threads()} threads, libtorch {TorchSharp.torch.__version__}";
        return new VerbResult(new { bench, machine, about, cases }, output =>
        {
            Print(output, bench, machine, cases);
            output.Write(about is null ? "" : $"  {about}\n");
        });
    }

    private static string BeforeProgram =>
        Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../Before/release/recsys-before.dll"));

    private static void Print(TextWriter output, string name, string machine, IReadOnlyList<BenchCase> cases)
    {
        output.WriteLine(
            $"bench {name} on {machine}; medians of {cases[0].Runs} interleaved rounds; ratio = ours / peer, with its smallest and "
            + "largest");
        foreach (var measured in cases)
        {
            output.WriteLine(
                $"  {measured.Name,-54} {Number(measured.Ours),9} {measured.Unit}  peer {Number(measured.Peer),9}  floor "
                + $"{Number(measured.Floor),9}  {Ratio(measured)}");
        }

        foreach (string peerName in cases.Select(measured => measured.PeerName).OfType<string>().Distinct())
        {
            output.WriteLine($"  peer: {peerName}");
        }
    }

    private static string Number(double? value) =>
        value is { } v ? v.ToString(v < 1000 ? "G4" : "F0", CultureInfo.InvariantCulture) : "–";

    private static string Ratio(BenchCase measured)
    {
        if (measured.Ratio is not { } ratio)
        {
            return "no peer";
        }

        string goal = measured.Goal is { } value ? $"{value:F2} {(measured.Met == true ? "met" : "MISSED")}" : "none";
        return $"{ratio:F2} ({measured.RatioSpread![0]:F2} to {measured.RatioSpread[1]:F2}), goal {goal}";
    }
}
