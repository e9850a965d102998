using System.CommandLine;
using System.Globalization;
using Recsys.Cli.Terminal;
using Recsys.Cli.Verbs;

namespace Recsys.Cli.Tests.Terminal;

/// <summary>Numbers as people of several countries write them: one way is read, every other is refused.</summary>
public sealed class StrictNumbersTests
{
    private static readonly Option<int> Count = new("--count");
    private static readonly Option<long?> Seed = new("--seed");
    private static readonly Option<double> Scale = new("--scale");

    /// <summary>Every option of every verb that takes a number, found by its type.</summary>
    public static TheoryData<string, string> NumericOptions()
    {
        var data = new TheoryData<string, string>();
        foreach (var (path, command) in All(CommandTree.Root, ""))
        {
            foreach (var option in command.Options.Where(option => IsNumber(option.ValueType)))
            {
                data.Add(path, option.Name);
            }
        }

        return data;
    }

    [Fact]
    public void The_command_line_has_numeric_options_to_try() =>
        Assert.Superset(
            new HashSet<string> { "--guidance", "--timeout", "--drain", "--seed", "-k" },
            NumericOptions().Select(row => (string)row[1]).ToHashSet());

    [Theory]
    [MemberData(nameof(NumericOptions))]
    public void Every_numeric_option_refuses_a_comma_and_names_what_was_written(string verb, string option)
    {
        foreach (string text in new[] { "1,5", "1,000", "1 000", "1'000", "NaN", "Infinity", "-Infinity", "0x10", "", "１" })
        {
            var errors = CommandTree.Parse([.. verb.Split(' '), option, text]).Errors;
            Assert.Contains(errors, error => error.Message.StartsWith($"{option} '{text}' is no ", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("1.5", 1.5)]
    [InlineData("-0.25", -0.25)]
    [InlineData("1e-3", 0.001)]
    [InlineData("7", 7)]
    [InlineData("0.001", 0.001)] // 1, where a point parts thousands
    public void A_number_with_a_decimal_point_is_read_the_same_in_every_country(string text, double value)
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            var comma = new NumberFormatInfo { NumberDecimalSeparator = ",", NumberGroupSeparator = "." };
            CultureInfo.CurrentCulture = new CultureInfo("") { NumberFormat = comma };
            Assert.Equal(value, Parse("--scale", text).GetValue(Scale));
            Assert.Contains("'1,5'", Assert.Single(Parse("--scale", "1,5").Errors).Message, StringComparison.Ordinal);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Theory]
    [InlineData("--count", "2147483648")]
    [InlineData("--count", "1.0")]
    [InlineData("--seed", "9223372036854775808")]
    [InlineData("--scale", "1e999")]
    public void What_does_not_fit_is_refused(string option, string text) => Assert.Single(Parse(option, text).Errors);

    [Fact]
    public void The_largest_and_smallest_seeds_are_read()
    {
        Assert.Equal(long.MaxValue, Parse("--seed", "9223372036854775807").GetValue(Seed));
        Assert.Equal(long.MinValue, Parse("--seed", "-9223372036854775808").GetValue(Seed));
        Assert.Null(Parse().GetValue(Seed));
    }

    [Fact]
    public void A_number_of_another_type_cannot_slip_by_unread()
    {
        Assert.Contains(
            "--rate",
            Assert.Throws<NotSupportedException>(() => StrictNumbers.Apply(new Command("x") { new Option<float>("--rate") })).Message,
            StringComparison.Ordinal);
        Assert.Throws<NotSupportedException>(() => StrictNumbers.Apply(new Command("x") { new Option<int[]>("--sizes") }));
        Assert.Throws<NotSupportedException>(() => StrictNumbers.Apply(new Command("x") { new Argument<int>("port") }));
    }

    private static ParseResult Parse(params string[] arguments)
    {
        var command = new RootCommand { Count, Seed, Scale };
        StrictNumbers.Apply(command);
        return command.Parse(arguments);
    }

    private static bool IsNumber(Type type) =>
        Type.GetTypeCode(Nullable.GetUnderlyingType(type) ?? type) is >= TypeCode.SByte and <= TypeCode.Decimal;

    private static IEnumerable<(string Path, Command Command)> All(Command command, string path) =>
        command.Subcommands.SelectMany(sub => All(sub, $"{path} {sub.Name}".Trim())).Prepend((path, command));
}
