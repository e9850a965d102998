using Recsys.Catalog;
using Recsys.Cli.Verbs;

namespace Recsys.Cli.Tests.Verbs;

/// <summary>Every id that an import takes can be asked for.</summary>
public sealed class ItemIdTests
{
    public static TheoryData<string> Ids =>
        new() { "a,b", "@home", "a b", " a", "7", "07", "-5", "-k", "--json", "é", "x=1", "x:1", "[diagram]", "\"quoted\"", "," };

    [Theory]
    [MemberData(nameof(Ids))]
    public void Recommend_takes_it_after_two_dashes(string id) =>
        Assert.Equal(["first", id], Given("history", "recommend", "-k", "3", "--", "first", id));

    [Theory]
    [MemberData(nameof(Ids))]
    public void Creative_takes_it_as_an_item_and_in_a_history(string id)
    {
        Assert.Equal([id], Given("--item", "creative", $"--item={id}"));
        Assert.Equal(["first", id], Given("--history", "creative", "--history=first", $"--history={id}"));
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void Encode_takes_it_to_look_up_and_to_encode(string id)
    {
        Assert.Equal(["first", id], Given("--lookup", "encode", "--lookup=first", $"--lookup={id}"));
        Assert.Equal([id], Given("--items", "encode", "--data", "d", $"--items={id}"));
    }

    [Fact]
    public void Several_follow_one_option() =>
        Assert.Equal(["a,b", "@c", "d"], Given("--history", "creative", "--history", "a,b", "@c", "d", "--count", "2"));

    [Fact]
    public void An_id_is_what_was_given_and_an_empty_one_is_refused()
    {
        Assert.Equal(["a,b", " c "], ClientVerb.Items(["a,b", " c "]));
        Assert.Empty(ClientVerb.Items(null));
        Assert.Equal(Fault.InvalidArgument, Assert.Throws<CatalogException>(() => ClientVerb.Items(["a", ""])).Fault);
    }

    private static string[] Given(string name, params string[] arguments)
    {
        var parsed = CommandTree.Parse(arguments);
        Assert.Empty(parsed.Errors);
        var values = parsed.CommandResult.Children.OfType<System.CommandLine.Parsing.OptionResult>()
            .Where(result => result.Option.Name == name).SelectMany(result => result.Tokens)
            .Concat(parsed.CommandResult.Children.OfType<System.CommandLine.Parsing.ArgumentResult>()
                .Where(result => result.Argument.Name == name).SelectMany(result => result.Tokens));
        return ClientVerb.Items(values.Select(token => token.Value));
    }
}
