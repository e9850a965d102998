using System.Diagnostics;

namespace Recsys.Cli.Terminal;

/// <summary>This program as another process: by its own file, or by the dotnet that runs this one.</summary>
internal static class ThisProgram
{
    public static ProcessStartInfo With(params string[] arguments) => Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet"
        ? new(Environment.ProcessPath!, [typeof(ThisProgram).Assembly.Location, .. arguments])
        : new(Environment.ProcessPath!, arguments);
}
