using System.Net;
using System.Net.Sockets;
using Recsys.Catalog;
using Recsys.Cli.Terminal;
using Recsys.Server.Serving;

namespace Recsys.Integration.Tests;

/// <summary>Where a server listens, as a user writes it.</summary>
public sealed class ServeOptionsTests
{
    [Theory]
    [InlineData("127.0.0.1:5757", "127.0.0.1:5757")]
    [InlineData("0.0.0.0:80", "0.0.0.0:80")]
    [InlineData("[::1]:5757", "[::1]:5757")]
    [InlineData("localhost:5757", "127.0.0.1:5757")]
    [InlineData("5757", "127.0.0.1:5757")]
    [InlineData("127.0.0.1:0", "127.0.0.1:0")]
    public void An_address_and_port_is_read(string text, string endpoint) =>
        Assert.Equal(IPEndPoint.Parse(endpoint), ServeOptions.ParseEndpoint("--listen", text));

    [Theory]
    [InlineData("")]
    [InlineData("0.0.0.0")]
    [InlineData("::1")]
    [InlineData("localhost")]
    [InlineData("example.org:5757")]
    [InlineData("127.0.0.1:65536")]
    [InlineData("1:80")] // 0.0.0.1 to some
    [InlineData("010.0.0.1:80")] // octal to some, decimal to others
    [InlineData("0x7f.0.0.1:80")]
    [InlineData("127.0.0.1:-1")]
    public void Anything_else_is_refused_with_what_was_written(string text)
    {
        var refused = Assert.Throws<CatalogException>(() => ServeOptions.ParseEndpoint("--listen", text));
        Assert.Equal(Fault.InvalidArgument, refused.Fault);
        Assert.Contains($"--listen '{text}'", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "127.0.0.1:5757", "127.0.0.1:5758")]
    [InlineData(null, "[::]:5757", "[::]:5758")]
    [InlineData(null, "127.0.0.1:0", "127.0.0.1:0")]
    [InlineData("8080", "0.0.0.0:5757", "0.0.0.0:8080")]
    [InlineData("127.0.0.1:8080", "0.0.0.0:5757", "127.0.0.1:8080")]
    public void JSON_is_at_the_port_after_gRPC_unless_told_otherwise(string? text, string listen, string http) =>
        Assert.Equal(IPEndPoint.Parse(http), ServeOptions.ParseHttp(text, IPEndPoint.Parse(listen)));

    [Fact]
    public void JSON_can_be_off() => Assert.Null(ServeOptions.ParseHttp("off", IPEndPoint.Parse("127.0.0.1:5757")));

    [Theory]
    [InlineData("5757", "127.0.0.1:5757")]
    [InlineData("127.0.0.1:5757", "127.0.0.1:5757")]
    [InlineData(null, "127.0.0.1:65535")]
    [InlineData("nowhere", "127.0.0.1:5757")]
    public void JSON_where_it_cannot_be_is_refused(string? text, string listen) =>
        Assert.Equal(Fault.InvalidArgument,
            Assert.Throws<CatalogException>(() => ServeOptions.ParseHttp(text, IPEndPoint.Parse(listen))).Fault);

    [Theory]
    [InlineData(-1)]
    [InlineData(240.5)]
    [InlineData(double.NaN)]
    public void A_drain_out_of_range_is_refused(double seconds) =>
        Assert.Contains("0 to 240",
            Assert.Throws<CatalogException>(() => ServeOptions.ParseDrain(seconds)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task A_port_that_is_taken_is_named_in_one_line()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        string versions = Directory.CreateTempSubdirectory("recsys-taken-").FullName;
        try
        {
            var refused = await Cli.HereAsync("serve", "--versions", versions, "--listen", $"{taken.LocalEndpoint}", "--http", "off");
            Assert.Equal(ExitCode.Unavailable, refused.ExitCode);
            string line = Assert.Single(refused.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
            Assert.StartsWith($"recsys: Cannot listen (gRPC on {taken.LocalEndpoint})", line, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(versions, recursive: true);
        }
    }
}
