using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Recsys.Catalog;
using Recsys.Mpi;

namespace Recsys.Cli.Terminal;

/// <summary>What a verb answers: one object for <c>--json</c>, the same in words for people, and the exit code.</summary>
internal sealed record VerbResult(object Json, Action<TextWriter> Text, int ExitCode = ExitCode.Done);

/// <summary>Runs a verb and gives every verb the same <c>--json</c>, the same errors and the same exit codes.</summary>
internal static class VerbRunner
{
    public static readonly Option<bool> JsonOption = new("--json")
    {
        Description = "Print one JSON object on standard output.", Recursive = true,
    };

    public static void OnRun(this Command command, Func<ParseResult, CancellationToken, Task<VerbResult>> run) =>
        command.SetAction(async (parsed, cancel) =>
        {
            bool json = parsed.GetValue(JsonOption);
            try
            {
                var result = await run(parsed, cancel);
                Print(result, json);
                return result.ExitCode;
            }
            catch (Exception e)
            {
                int code = Fail(FileFault.Typed(e), json);
                MpiWorld.Abort(code); // the other ranks would wait for this one
                return code;
            }
        });

    /// <summary>The same for a verb that computes here.</summary>
    public static void OnCompute(this Command command, Func<ParseResult, CancellationToken, Task<VerbResult>> run) =>
        command.OnRun((parsed, cancel) =>
        {
            UseAllCores();
            return run(parsed, cancel);
        });

    /// <summary>libtorch counts cores in its own way and may take one where there are two: says what there is for each rank.</summary>
    public static void UseAllCores()
    {
        string? wanted = Environment.GetEnvironmentVariable("OMP_NUM_THREADS");
        set_num_threads(
            int.TryParse(wanted, CultureInfo.InvariantCulture, out int threads) && threads > 0
                ? threads
                : Math.Max(1, Environment.ProcessorCount / MpiWorld.LaunchedHere));
    }

    private static void Print(VerbResult result, bool json)
    {
        try
        {
            if (json)
            {
                Console.Out.WriteLine(JsonSerializer.Serialize(result.Json, Json.Output));
            }
            else
            {
                result.Text(Console.Out);
            }
        }
        catch (IOException e)
        {
            throw FileFault.Typed(e, "Standard output: ");
        }
    }

    private static int Fail(Exception exception, bool json)
    {
        var (code, kind, message) = ExitCode.Of(exception);
        try
        {
            Console.Error.WriteLine($"recsys: {message}");
            if (code == ExitCode.Unexpected)
            {
                Console.Error.WriteLine(exception);
            }

            if (json)
            {
                Console.Out.WriteLine(JsonSerializer.Serialize(new { error = kind, message }, Json.Output));
            }
        }
        catch (IOException)
        {
            // Where nothing can be written, the exit code is all that is left to say it with.
        }

        return code;
    }
}
