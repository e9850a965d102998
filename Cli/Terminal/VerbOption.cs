using System.CommandLine;

namespace Recsys.Cli.Terminal;

/// <summary>Declares an option in one line.</summary>
internal static class VerbOption
{
    /// <summary>May be left out, and is then null, 0 or false.</summary>
    public static Option<T> Of<T>(string name, string description) => new(name) { Description = description };

    /// <summary>May be left out, and then has this value.</summary>
    public static Option<T> Of<T>(string name, string description, T fallback) =>
        new(name) { Description = description, DefaultValueFactory = _ => fallback };

    /// <summary>May be left out; then a variable of the environment, where it is set and not empty, else this value.</summary>
    public static Option<string?> OrVariable(string name, string description, string variable, string? fallback = null) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : fallback,
    };

    public static Option<T> Required<T>(string name, string description) => new(name) { Description = description, Required = true };

    /// <summary>Any number of values, after one mention of the option or each after its own.</summary>
    public static Option<string[]> Many(string name, string description) =>
        new(name) { Description = description, AllowMultipleArgumentsPerToken = true };
}
