using System.CommandLine;
using System.Globalization;
using Recsys.Catalog;
using Recsys.Jobs;
using Recsys.Server.Bench;
using Recsys.Server.Terminal;
using Recsys.Torch;

namespace Recsys.Server.Verbs;

internal static class BenchVerb
{
    public static Command Create()
    {
        var command = new Command("bench", "Measurements side by side with a peer, in one run.");
        command.Subcommands.Add(Of("platform", "Dispatch, training step and optimiser beside PyTorch (where Debian's python3-torch is installed).", PlatformBench.Run));
        return command;
    }

    private static Command Of(string name, string description, Func<int, string, Action<string>, CancellationToken, IReadOnlyList<BenchCase>> run)
    {
        var rounds = new Option<int>("--rounds") { Description = "Rounds of each case, ours and the peer's in turn.", DefaultValueFactory = _ => 7 };
        var only = new Option<string>("--only") { Description = "Only the cases whose names contain this.", DefaultValueFactory = _ => "" };
        var command = new Command(name, description) { rounds, only };
        command.OnRun((parsed, cancel) => Task.Run(() =>
        {
            int wanted = parsed.GetValue(rounds);
            if (wanted is < 1 or > 1000)
            {
                throw CatalogException.Invalid($"--rounds {wanted}: allowed are 1 to 1000.");
            }

            var cases = run(wanted, parsed.GetValue(only)!, line => Console.Error.WriteLine($"recsys: {line}"), cancel);
            if (cases.Count == 0)
            {
                throw CatalogException.Invalid($"--only {parsed.GetValue(only)}: no case of 'bench {name}' has that in its name; leave it out to see them all.");
            }

            string machine = $"{Machine.Description}, {torch.get_num_threads()} threads, libtorch {TorchRuntime.Version}";
            return new VerbResult(new { bench = name, machine, cases }, output => Print(output, name, machine, cases));
        }, cancel));
        return command;
    }

    private static void Print(TextWriter output, string name, string machine, IReadOnlyList<BenchCase> cases)
    {
        output.WriteLine($"bench {name} on {machine}; medians of {cases[0].Runs} interleaved rounds; ratio = ours / peer, with its smallest and largest");
        foreach (var measured in cases)
        {
            static string Number(double? value) => value is { } v ? v.ToString("G4", CultureInfo.InvariantCulture) : "–";
            string ratio = measured.Ratio is { } r ? string.Create(CultureInfo.InvariantCulture, $"{r:F2} ({measured.RatioSpread![0]:F2} to {measured.RatioSpread[1]:F2}), goal {measured.Goal:F2}") : "no peer";
            output.WriteLine($"  {measured.Name,-54} {Number(measured.Ours),9} {measured.Unit}  peer {Number(measured.Peer),9}  floor {Number(measured.Floor),9}  {ratio}");
        }

        foreach (string peerName in cases.Select(measured => measured.PeerName).OfType<string>().Distinct())
        {
            output.WriteLine($"  peer: {peerName}");
        }
    }
}
