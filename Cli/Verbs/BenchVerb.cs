using System.CommandLine;
using System.Globalization;
using Recsys.Catalog;
using Recsys.Cli.Bench;
using Recsys.Cli.Terminal;
using Recsys.Jobs;
using TorchSharp;

namespace Recsys.Cli.Verbs;

internal static class BenchVerb
{
    public static Command Create()
    {
        var command = new Command("bench", "Measurements side by side with a peer, in one run.");
        command.Subcommands.Add(Torch());
        return command;
    }

    private static Command Torch()
    {
        var rounds = new Option<int>("--rounds") { Description = "Rounds of each case, all sides in turn.", DefaultValueFactory = _ => 7 };
        var only = new Option<string>("--only") { Description = "Only the cases whose names contain this.", DefaultValueFactory = _ => "" };
        var before = new Option<string?>("--before") { Description = "A checkout of an earlier commit, built there: it is measured too "
            + "(see bench/before)." };
        var data = new Option<string?>("--data") { Description = "A dataset folder: the peak memory of its rebuild is measured too, "
            + "once." };
        var peer = new Option<bool>("--as-plain-peer") { Hidden = true };
        var command = new Command(
            "torch",
            "Training, sampling, optimiser, beam search and memory beside plain TorchSharp and an earlier "
            + "build.") { rounds, only, before, data, peer };
        command.OnCompute((parsed, cancel) => Task.Run(() =>
        {
            if (parsed.GetValue(peer))
            {
                TorchBench.AnswerAsPlain(Console.In, Console.Out);
                return new VerbResult(new { }, _ => { });
            }

            int wanted = parsed.GetValue(rounds);
            if (wanted is < 1 or > 1000)
            {
                throw CatalogException.Invalid($"--rounds {wanted}: allowed are 1 to 1000.");
            }

            string? clone = parsed.GetValue(before) is { } folder ? Path.GetFullPath(folder) : null;
            using var earlier = clone is null ? null : BenchPeer.StartBefore(clone, BeforeProgram);
            using var plain = BenchPeer.StartPlain("bench", "torch", "--as-plain-peer");
            var cases = TorchBench.Run(
                wanted, parsed.GetValue(only)!, plain, earlier, line => Console.Error.WriteLine($"recsys: {line}"), cancel);
            if (parsed.GetValue(data) is { } dataset)
            {
                cases.Add(RebuildMemory.Run(dataset, clone, earlier?.Name, cancel));
            }

            if (cases.Count == 0)
            {
                throw CatalogException.Invalid(
                    $"--only {parsed.GetValue(only)}: no case of 'bench torch' has that in its name; leave it out to see them all.");
            }

            string machine = $"{Machine.Description}, {torch.get_num_threads()} threads, libtorch {torch.__version__}";
            return new VerbResult(new { bench = "torch", machine, cases }, output => Print(output, "torch", machine, cases));
        }, cancel));
        return command;
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
            static string Number(double? value) => value is { } v ? v.ToString("G4", CultureInfo.InvariantCulture) : "–";
            string ratio = measured.Ratio is { } r
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"{r:F2} ({measured.RatioSpread![0]:F2} to {measured.RatioSpread[1]:F2}), goal "
                    + $"{(measured.Goal is { } goal ? $"{goal:F2} {(measured.Met == true ? "met" : "MISSED")}" : "none")}")
                : "no peer";
            output.WriteLine(
                $"  {measured.Name,-54} {Number(measured.Ours),9} {measured.Unit}  peer {Number(measured.Peer),9}  floor "
                + $"{Number(measured.Floor),9}  {ratio}");
        }

        foreach (string peerName in cases.Select(measured => measured.PeerName).OfType<string>().Distinct())
        {
            output.WriteLine($"  peer: {peerName}");
        }
    }
}
