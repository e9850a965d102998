using System.CommandLine;
using Recsys.Cli.Terminal;
using Recsys.Cli.Verbs;

var parsed = CommandTree.Parse(args);
if (parsed.Errors.Count == 0)
{
    // A verb that is told to stop has as long as its step in flight takes: native threads that outlive main end the process by
    // SIGSEGV.
    return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(5) });
}

foreach (var error in parsed.Errors)
{
    Console.Error.WriteLine($"recsys: {error.Message}");
}

Console.Error.WriteLine($"See ./recsys {string.Join(' ', args.TakeWhile(arg => !arg.StartsWith('-')).Take(1).Append("--help"))}");
return ExitCode.Usage;
