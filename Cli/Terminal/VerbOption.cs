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
}
