using System.CommandLine;

namespace Recsys.Cli.Terminal;

/// <summary><c>--device</c>: where the models of a verb compute.</summary>
internal static class DeviceOption
{
    public static Option<string?> Create() => new("--device") { Description = "Where the models compute: cpu, cuda or cuda:N." };

    /// <summary>The device's name, looked for now rather than after a quarter of an hour.</summary>
    /// <exception cref="TorchException">No such device, or none here.</exception>
    public static string Checked(string name)
    {
        Devices.Of(name);
        return name;
    }

    /// <inheritdoc cref="Checked"/>
    public static string Of(ParseResult parsed, Option<string?> option, string otherwise = "cpu") =>
        Checked(parsed.GetValue(option) ?? otherwise);
}
