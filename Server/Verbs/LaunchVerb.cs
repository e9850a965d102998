using System.CommandLine;
using Recsys.Catalog;
using Recsys.Server.Launch;
using Recsys.Server.Terminal;

namespace Recsys.Server.Verbs;

/// <summary>Runs a verb on several ranks. What it answers is rank 0's answer, so it has no <c>--json</c> of its own: give it behind the <c>--</c>.</summary>
internal static class LaunchVerb
{
    public static Command Create()
    {
        var ranks = new Option<int>("--nproc") { Description = "Processes that train together.", Required = true };
        var restarts = new Option<int>("--max-restarts") { Description = "How often all are started anew when one has died.", DefaultValueFactory = _ => 3 };
        var verb = new Argument<string[]>("verb") { Description = "Behind --: the verb with its options.", Arity = ArgumentArity.OneOrMore };
        var command = new Command("launch", "Run a training verb on several processes: recsys launch --nproc 2 -- rebuild --data ds.") { ranks, restarts, verb };
        command.SetAction(async (parsed, cancel) =>
        {
            try
            {
                var options = new LaunchOptions(parsed.GetValue(ranks), parsed.GetValue(restarts), parsed.GetValue(verb)!);
                options.Validate();
                return await new Supervisor(options, line => Console.Error.WriteLine($"recsys: {line}")).RunAsync(cancel);
            }
            catch (CatalogException e)
            {
                Console.Error.WriteLine($"recsys: {e.Message}");
                return ExitCode.Of(e);
            }
        });
        return command;
    }
}
