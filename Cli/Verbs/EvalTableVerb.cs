using System.CommandLine;
using Recsys.Cli.Report;
using Recsys.Cli.Terminal;
using Recsys.Files;

namespace Recsys.Cli.Verbs;

/// <summary>The table of published figures, from saved results.</summary>
internal static class EvalTableVerb
{
    private static readonly Argument<string[]> Results = new("results")
    {
        Arity = ArgumentArity.OneOrMore, Description = "Outputs of eval --json: FIGURE.json, or FIGURE.SEED.json for several seeds.",
    };

    private static readonly Option<string?> Into =
        VerbOption.Of<string?>("--into", "Puts the table between the markers of this Markdown file.");

    public static Command Create()
    {
        var command = new Command("table", "Saved results as a Markdown table, seeds of one figure together.") { Results, Into };
        command.OnRun((parsed, _) => Task.FromResult(Run(parsed)));
        return command;
    }

    private static VerbResult Run(ParseResult parsed)
    {
        string table = FigureTable.Markdown(parsed.GetValue(Results)!);
        if (parsed.GetValue(Into) is { } page)
        {
            AtomicFile.WriteText(page, FigureTable.Into(File.ReadAllText(page), table));
        }

        return new VerbResult(new { table }, output => output.Write(table));
    }
}
