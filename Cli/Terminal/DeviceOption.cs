using System.CommandLine;

namespace Recsys.Cli.Terminal;

/// <summary><c>--device</c>: where the models of a verb compute.</summary>
internal static class DeviceOption
{
    public static readonly Option<string?> Device = VerbOption.Of<string?>("--device", "Where the models compute: cpu, cuda or cuda:N.");

    /// <summary>The device's name, looked for now rather than after a quarter of an hour.</summary>
    /// <exception cref="TorchException">No such device, or none here.</exception>
    public static string DeviceOr(this ParseResult parsed, string otherwise)
    {
        string name = parsed.GetValue(Device) ?? otherwise;
        Devices.Of(name);
        return name;
    }
}
