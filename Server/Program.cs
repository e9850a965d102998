using Recsys.Server.Terminal;
using Recsys.Server.Verbs;

var parsed = CommandTree.Create().Parse(args);
if (parsed.Errors.Count == 0)
{
    return await parsed.InvokeAsync();
}

foreach (var error in parsed.Errors)
{
    Console.Error.WriteLine($"recsys: {error.Message}");
}

Console.Error.WriteLine($"See ./recsys {string.Join(' ', args.TakeWhile(arg => !arg.StartsWith('-')).Take(1).Append("--help"))}");
return ExitCode.Usage;
