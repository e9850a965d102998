using System.CommandLine;
using Recsys.Jobs.NightlyRebuild;

namespace Recsys.Cli.Terminal;

/// <summary><c>--config</c>: the file that says how a rebuild is made, for every verb that does a part of one.</summary>
internal static class ConfigOption
{
    public static readonly Option<string?> Config =
        VerbOption.Of<string?>("--config", "JSON file of rebuild options; see docs/configuration.md.");

    /// <exception cref="Catalog.CatalogException">As <see cref="RebuildOptions.Read"/>.</exception>
    public static RebuildOptions Configuration(this ParseResult parsed) =>
        parsed.GetValue(Config) is { } file ? RebuildOptions.Read(file) : new RebuildOptions();
}
