using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Recsys.Cli.Terminal;

namespace Recsys.Integration.Tests;

/// <summary>Ports, addresses, folders and outputs that cannot be had: one line that names the place, and a documented exit code.</summary>
[Collection(WorldCollection.Name)]
public sealed class RefusedPlacesTests(World world)
{
    [Fact]
    public async Task A_taken_port_exits_7_and_is_named_for_gRPC_and_for_JSON()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        string address = taken.LocalEndpoint.ToString()!;
        await RefusedAsync(ExitCode.Unavailable, address, "serve", "--versions", Empty("taken"), "--listen", address);
        await RefusedAsync(
            ExitCode.Unavailable, address, "serve", "--versions", Empty("taken"), "--listen", "127.0.0.1:0", "--http", address);
    }

    [Theory]
    [InlineData(ExitCode.Unavailable, "192.0.2.1:5757")] // reserved for documentation: no machine's own
    [InlineData(ExitCode.InvalidArgument, "0.0.0.0")] // one of those that ServeOptionsTests has
    public Task An_address_that_cannot_be_bound_is_named(int code, string address) =>
        RefusedAsync(code, address, "serve", "--versions", Empty("unbound"), "--listen", address);

    [Theory]
    [InlineData("127.0.0.1:99999")]
    [InlineData("127.0.0.1:port")]
    [InlineData("127.0.0.1:6379,noSuchOption=1")]
    [InlineData("")]
    [InlineData(",")]
    public Task A_Redis_that_is_no_address_is_refused(string redis) =>
        RefusedAsync(ExitCode.InvalidArgument, "Redis", "versions", "restore", "--versions", Empty("redis"), "--redis", redis);

    [Theory]
    [InlineData("127.0.0.1:5757")]
    [InlineData("ftp://127.0.0.1")]
    [InlineData("http://127.0.0.1:99999")]
    [InlineData("")]
    public Task A_server_that_is_no_address_is_refused(string server) =>
        RefusedAsync(ExitCode.InvalidArgument, $"--server '{server}'", "recommend", "a", "--server", server);

    [Fact]
    public async Task A_file_where_a_folder_is_wanted_is_named_by_every_verb_that_writes()
    {
        string file = Path.Combine(world.Folder, "a-file");
        await File.WriteAllTextAsync(file, "");
        await WritingFailsAsync(file, "rebuild", "--data", world.Data, "--config", world.Config, "--out", file);
        await WritingFailsAsync(file, "serve", "--listen", "127.0.0.1:0", "--versions", file);
        await WritingFailsAsync(file, "jobs", "--data", world.Data, "--out", file);
        await WritingFailsAsync(file, "versions", "restore", "--versions", file);
        await WritingFailsAsync(file, "demo", "--out", file);
        await WritingFailsAsync(file, "demo", "--out", file + "/demo");
        await WritingFailsAsync(
            file, "creative", "--item", world.ItemIds[0], "--count", "1", "--server", world.Address, "--out", file + "/pictures");
    }

    [Fact]
    public async Task A_full_standard_output_exits_8()
    {
        string command = $"dotnet {Cli.Assembly} versions list --server {world.Address} --json > /dev/full";
        using var process = Process.Start(new ProcessStartInfo("bash", ["-c", command]) { RedirectStandardError = true })!;
        string error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(ExitCode.ResourceExhausted, process.ExitCode);
        Assert.StartsWith("recsys: Standard output: No space left on device", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Output_that_nobody_reads_is_no_fault()
    {
        using var process = Process.Start(
            "bash", ["-c", $"dotnet {Cli.Assembly} versions list --server {world.Address} | true; exit ${{PIPESTATUS[0]}}"])!;
        await process.WaitForExitAsync();
        Assert.Equal(ExitCode.Done, process.ExitCode);
    }

    private string Empty(string name) => Path.Combine(world.Folder, "refused-" + name);

    private static async Task WritingFailsAsync(string place, params string[] arguments)
    {
        var refused = await Cli.HereAsync(arguments);
        string said = $"recsys {string.Join(' ', arguments)} exited {refused.ExitCode}: {refused.Error}";
        Assert.True(
            refused.ExitCode is ExitCode.InvalidArgument or ExitCode.NotFound or ExitCode.Unavailable or ExitCode.ResourceExhausted, said);
        Assert.True(refused.Error.TrimEnd().Split('\n')[^1].StartsWith("recsys: ", StringComparison.Ordinal), said);
        Assert.Contains(place, refused.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at Recsys", refused.Error, StringComparison.Ordinal);
    }

    private static async Task RefusedAsync(int code, string place, params string[] arguments)
    {
        var refused = await Cli.HereAsync(arguments);
        Assert.True(refused.ExitCode == code, $"recsys {string.Join(' ', arguments)} exited {refused.ExitCode}: {refused.Error}");
        string line = Assert.Single(refused.Error.TrimEnd().Split('\n'), line => line.StartsWith("recsys: ", StringComparison.Ordinal));
        Assert.Contains(place, line, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", refused.Error, StringComparison.Ordinal);
    }
}
