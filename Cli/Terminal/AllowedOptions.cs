using System.CommandLine;
using Recsys.Cli.Verbs;
using Recsys.V1;

namespace Recsys.Cli.Terminal;

/// <summary>Options that say which items an answer may have.</summary>
internal static class AllowedOptions
{
    private static readonly Option<string[]> ExcludeOption =
        VerbOption.Of<string[]>("--exclude", "An item to leave out; as often as needed.");
    private static readonly Option<string[]> CandidateOption =
        VerbOption.Of<string[]>("--candidate", "An item that the answer is chosen from; as often as needed. None: every item.");
    private static readonly Option<string[]> WhereOption = VerbOption.Of<string[]>(
        "--where", $"What must hold of an item's attributes; as often as needed: {ConditionText.Form}.");

    public static void AddAllowed(this Command command)
    {
        command.Options.Add(ExcludeOption);
        command.Options.Add(CandidateOption);
        command.Options.Add(WhereOption);
    }

    public static string[] Excluded(this ParseResult parsed) => ClientVerb.Items(parsed.GetValue(ExcludeOption));

    /// <summary>Null: every item.</summary>
    public static ItemSet? Candidates(this ParseResult parsed) =>
        parsed.GetValue(CandidateOption) is { Length: > 0 } some ? new ItemSet { ItemIds = { ClientVerb.Items(some) } } : null;

    public static IEnumerable<Condition> Conditions(this ParseResult parsed) =>
        (parsed.GetValue(WhereOption) ?? []).Select(ConditionText.Read);
}
