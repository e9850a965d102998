using System.CommandLine;
using System.Globalization;
using Recsys.Bench;
using Recsys.Catalog;
using Recsys.Cli.Terminal;
using Recsys.Jobs;
using TorchSharp;

namespace Recsys.Cli.Verbs;

/// <summary>Measurements beside a peer. One bench so far: <c>torch</c>.</summary>
internal static class BenchVerb
{
    private static readonly Option<int> Rounds = VerbOption.Of("--rounds", "Rounds of each case, all sides in turn (1 to 1000).", 7);
    private static readonly Option<string> Only = VerbOption.Of("--only", "Only the cases whose names contain this.", "");
    private static readonly Option<string?> Before =
        VerbOption.Of<string?>("--before", "A checkout of an earlier commit, built there: it is measured too (see bench/before).");
    private static readonly Option<string?> Data =
        VerbOption.Of<string?>("--data", "A dataset folder: the peak memory of its rebuild is measured too, once.");
    private static readonly Option<bool> AsPlainPeer = new("--as-plain-peer") { Hidden = true };

    public static Command Create()
    {
        var torch = new Command(
            "torch", "Training, sampling, optimiser, beam search and memory beside plain TorchSharp and an earlier build.")
        {
            Rounds, Only, Before, Data, AsPlainPeer,
        };
        torch.OnCompute((parsed, cancel) => Task.Run(() => Run(parsed, cancel), cancel));
        return new Command("bench", "Measurements side by side with a peer, in one run.") { torch };
    }

    private static VerbResult Run(ParseResult parsed, CancellationToken cancel)
    {
        if (parsed.GetValue(AsPlainPeer))
        {
            TorchBench.AnswerAsPlain(Console.In, Console.Out);
            return new VerbResult(new { }, _ => { });
        }

        int rounds = parsed.GetValue(Rounds);
        if (rounds is < 1 or > 1000)
        {
            throw CatalogException.Invalid($"--rounds {rounds}: allowed are 1 to 1000.");
        }

        string? clone = parsed.GetValue(Before) is { } folder ? Path.GetFullPath(folder) : null;
        using var earlier = clone is null ? null : BenchPeer.StartBefore(clone, BeforeProgram);
        using var plain = BenchPeer.StartPlain(ThisProgram.With("bench", "torch", AsPlainPeer.Name));
        var cases = TorchBench.Run(
            rounds, parsed.GetValue(Only)!, plain, earlier, line => Console.Error.WriteLine($"recsys: {line}"), cancel);
        if (parsed.GetValue(Data) is { } dataset)
        {
            cases.Add(RebuildMemory.Run(ThisProgram.With(), dataset, clone, earlier?.Name, cancel));
        }

        if (cases.Count == 0)
        {
            throw CatalogException.Invalid(
                $"--only {parsed.GetValue(Only)}: no case of 'bench torch' has that in its name; leave it out to see them all.");
        }

        string machine = $"{Machine.Description}, {torch.get_num_threads()} threads, libtorch {torch.__version__}";
        return new VerbResult(new { bench = "torch", machine, cases }, output => Print(output, "torch", machine, cases));
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

    private static string Number(double? value) => value is { } v ? v.ToString("G4", CultureInfo.InvariantCulture) : "–";

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
