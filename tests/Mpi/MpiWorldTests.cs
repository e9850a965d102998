using System.Diagnostics;
using System.Globalization;

namespace Recsys.Mpi.Tests;

/// <summary>The calls themselves, on real ranks.</summary>
public sealed class MpiWorldTests : IDisposable
{
    private const int Patience = 600_000;

    private readonly TemporaryFolder _folder = new();

    [Fact(Timeout = Patience)]
    public async Task Three_ranks_add_up_and_hear_the_first()
    {
        var run = await Mpirun.RanksAsync(3, "calls", _folder.Path);
        Assert.True(run.ExitCode == 0, run.Error);
        for (int rank = 0; rank < 3; rank++)
        {
            Assert.Equal(
            [
                $"rank {rank} of 3, first {rank == 0}",
                "floats 6 6 6", // 1 + 2 + 3
                "doubles 6.000000000003",
                "strided 6 6 6 60 60 60",
                "large 30000000",
                "number 2",
                "gradients 6 6",
                "broadcast 1 1",
                $"share of 7 {new[] { "(0, 2)", "(2, 2)", "(4, 3)" }[rank]}",
                "alike none",
                $"unlike The ranks differ in the step: rank {rank} has {rank + 1}. "
                + "Give all of them the same data, options and file system.",
                "integers Ranks add up Float32 and Float64; this tensor is Int64. Convert it first.",
                "null reference Object reference not set to an instance of an object.", // SIGSEGV is still the runtime's
                rank == 0 ? "turns wrote it" : "turns found it",
            ], await File.ReadAllLinesAsync(Path.Combine(_folder.Path, $"rank{rank}", "calls")));
        }
    }

    [Fact(Timeout = Patience)]
    public async Task A_rank_that_gives_up_ends_all_with_its_code()
    {
        var run = await Mpirun.RanksAsync(2, "abort", _folder.Path);
        Assert.True(run.ExitCode == 37, $"{run.ExitCode} {run.Error}");
    }

    [Fact(Timeout = Patience)]
    public async Task A_run_that_hangs_leaves_no_process_behind()
    {
        var run = await Mpirun.RunAsync(
            "mpirun.mpich", ["-n", "2", "dotnet", typeof(Mpirun).Assembly.Location, "hang", _folder.Path], (Mpirun.Limit, "15"));
        Assert.NotEqual(0, run.ExitCode);
        foreach (int rank in new[] { 0, 1 })
        {
            string id = await File.ReadAllTextAsync(Path.Combine(_folder.Path, $"rank{rank}", "process"));
            Assert.True(IsGone(int.Parse(id, CultureInfo.InvariantCulture)), $"rank {rank} is still there: {run.Error}");
        }
    }

    [Fact(Timeout = Patience)]
    public async Task A_process_on_its_own_loads_no_MPI()
    {
        var run = await Mpirun.RunAsync(
            "dotnet", [typeof(Mpirun).Assembly.Location, "train-nothing", _folder.Path], ("RECSYS_MPI", "/nowhere/libmpich.so.12"));
        Assert.Equal(2, run.ExitCode); // an unknown task, found after MPI would have been loaded
    }

    [Theory(Timeout = Patience)]
    [InlineData(
        "PMI_SIZE",
        "2 ranks were started, but /nowhere/libmpich.so.12 does not load; "
        + "install Debian's MPICH on every machine (apt-get install mpich)")]
    [InlineData("OMPI_COMM_WORLD_SIZE", "This process was started by Open MPI, whose library does not fit; install Debian's MPICH")]
    public async Task Ranks_without_MPICH_are_told_what_to_install(string variable, string message)
    {
        string[] calls = [typeof(Mpirun).Assembly.Location, "calls", _folder.Path];
        var run = await Mpirun.RunAsync("dotnet", calls, ("RECSYS_MPI", "/nowhere/libmpich.so.12"), (variable, "2"));
        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains(nameof(MpiException), run.Error, StringComparison.Ordinal);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    private static bool IsGone(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return process.WaitForExit(30_000);
        }
        catch (ArgumentException)
        {
            return true;
        }
    }

    public void Dispose() => _folder.Dispose();
}
