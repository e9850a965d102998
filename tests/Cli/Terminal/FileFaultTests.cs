using System.CommandLine;
using System.Text.Json;
using Recsys.Catalog;
using Recsys.Cli.Terminal;
using Recsys.Files;

namespace Recsys.Cli.Tests.Terminal;

/// <summary>Tests that put writers of their own in the place of the console, of which a process has one: they run alone.</summary>
[CollectionDefinition(nameof(Console), DisableParallelization = true)]
public sealed class ConsoleCollection;

/// <summary>What the file system refuses reaches a script as an exit code and one line that names the place.</summary>
[Collection(nameof(Console))]
public sealed class FileFaultTests
{
    [Fact]
    public void A_full_disk_exits_8_and_names_the_file() =>
        Ends(ExitCode.ResourceExhausted, "/dev/full", () =>
        {
            using var file = new FileStream("/dev/full", FileMode.Open, FileAccess.Write);
            file.Write(new byte[8192]);
            file.Flush();
        });

    [Fact]
    public void A_file_where_a_folder_is_wanted_exits_7_and_names_it()
    {
        using var folder = new TemporaryFolder().With("taken", "a file");
        Ends(ExitCode.Unavailable, folder["taken"], () => Directory.CreateDirectory(folder["taken"]));
    }

    [Fact]
    public void A_file_below_a_file_exits_with_a_documented_code_and_names_it()
    {
        using var folder = new TemporaryFolder().With("taken", "a file");
        Ends(null, folder["taken"], () => AtomicFile.WriteText(folder["taken/pictures/1.png"], "x"));
        Ends(null, folder["taken"], () => Directory.CreateDirectory(folder["taken/pictures"]));
    }

    [Fact]
    public void A_place_where_nothing_can_be_made_exits_with_a_documented_code_and_names_it() =>
        Ends(null, "/proc/recsys", () => Directory.CreateDirectory("/proc/recsys/versions"));

    [Fact]
    public void A_folder_where_a_file_is_wanted_exits_7_and_names_it()
    {
        using var folder = new TemporaryFolder();
        Ends(ExitCode.Unavailable, folder.Path, () => File.ReadAllText(folder.Path));
    }

    [Fact]
    public void A_missing_file_exits_4_and_names_it() => Ends(ExitCode.NotFound, "/no/such/file", () => File.ReadAllText("/no/such/file"));

    [Fact]
    public void A_fault_of_a_parallel_loop_is_read_through_its_wrapping() =>
        Ends(ExitCode.ResourceExhausted, "/x", () => throw new AggregateException(new IOException("No space left on device : '/x'", 28)));

    [Fact]
    public void A_fault_of_ours_still_exits_1_with_its_trace()
    {
        var (code, _, error) = Run(_ => throw new EndOfStreamException("a reader of ours"));
        Assert.Equal(ExitCode.Unexpected, code);
        Assert.Contains("   at ", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_standard_output_exits_8_and_says_so()
    {
        var (code, error) = (0, new StringWriter());
        var result = new VerbResult(new { long_enough = new string('x', 9000) }, _ => { });
        var device = new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 1);
        using (var full = new StreamWriter(device) { AutoFlush = true })
        {
            code = Run(["--json"], _ => Task.FromResult(result), full, error);
        }

        Assert.Equal(ExitCode.ResourceExhausted, code);
        Assert.StartsWith("recsys: Standard output: ", error.ToString(), StringComparison.Ordinal);
        Assert.Single(error.ToString().TrimEnd().Split('\n'));
    }

    private static void Ends(int? code, string place, Action act)
    {
        var (exit, output, error) = Run(_ =>
        {
            act();
            throw new InvalidOperationException("the file system took it");
        });
        Assert.True(
            exit == (code ?? exit) && exit is ExitCode.NotFound or ExitCode.Unavailable or ExitCode.ResourceExhausted,
            $"exit {exit}: {error}");
        Assert.Contains(place, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
        Assert.Equal(error.Trim(), "recsys: " + JsonDocument.Parse(output).RootElement.GetProperty("message").GetString());
    }

    private static (int Code, string Output, string Error) Run(Func<CancellationToken, Task<VerbResult>> verb)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        return (Run(["--json"], verb, output, error), output.ToString(), error.ToString());
    }

    private static int Run(string[] arguments, Func<CancellationToken, Task<VerbResult>> verb, TextWriter output, TextWriter error)
    {
        var command = new RootCommand { VerbRunner.JsonOption };
        command.OnRun((_, cancel) => verb(cancel));
        var (before, errorBefore) = (Console.Out, Console.Error);
        try
        {
            Console.SetOut(output);
            Console.SetError(error);
            return command.Parse(arguments).Invoke();
        }
        finally
        {
            Console.SetOut(before);
            Console.SetError(errorBefore);
        }
    }
}
