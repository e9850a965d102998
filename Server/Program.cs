using System.CommandLine;
using System.Globalization;
using Recsys.Server.Terminal;
using Recsys.Server.Verbs;
using TorchSharp;

// libtorch counts cores in its own way and may take one where there are two: say what there is.
torch.set_num_threads(int.TryParse(Environment.GetEnvironmentVariable("OMP_NUM_THREADS"), CultureInfo.InvariantCulture, out int threads) && threads > 0 ? threads : Environment.ProcessorCount);
var parsed = CommandTree.Create().Parse(args);
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
