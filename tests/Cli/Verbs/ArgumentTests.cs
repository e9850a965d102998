using System.CommandLine;
using System.CommandLine.Parsing;
using Recsys.Cli.Verbs;

namespace Recsys.Cli.Tests.Verbs;

/// <summary>The command line's library reads a file for a value that begins with @; here a value is what it is.</summary>
public sealed class ArgumentTests
{
    public static TheoryData<string, string> TextOptions()
    {
        var data = new TheoryData<string, string>();
        var commands = CommandTree.Root.Subcommands.SelectMany(
            verb => verb.Subcommands.Select(sub => ($"{verb.Name} {sub.Name}", sub)).Prepend((verb.Name, verb)));
        foreach (var (path, command) in commands)
        {
            foreach (var option in command.Options.Where(option => option is Option<string> or Option<string[]>))
            {
                data.Add(path, option.Name);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(TextOptions))]
    public void A_value_that_begins_with_an_at_sign_is_a_value(string verb, string option)
    {
        var parsed = CommandTree.Parse([.. verb.Split(' '), option, "@values.txt"]);
        Assert.DoesNotContain(parsed.Errors, error => error.Message.Contains('@', StringComparison.Ordinal));
        var given = Assert.Single(parsed.CommandResult.Children.OfType<OptionResult>(), result => result.Option.Name == option);
        Assert.Equal("@values.txt", Assert.Single(given.Tokens).Value);
    }

    [Fact]
    public void There_are_such_options_to_try() =>
        Assert.Superset(
            new HashSet<string> { "--redis", "--redis-prefix", "--data", "--server", "--history", "--out" },
            TextOptions().Select(row => (string)row[1]).ToHashSet());
}
