using System.Diagnostics;
using System.Text.Json;
using Recsys.Cli.Terminal;
using Recsys.Store.Versions;

namespace Recsys.Integration.Tests;

/// <summary>One rebuild by two processes under MPICH's mpirun, as a user starts it.</summary>
public sealed class RanksTests(TrainedVersion trained) : IClassFixture<TrainedVersion>
{
    private const int Patience = 600_000;

    private static readonly string[] Plain = [];

    [Fact(Timeout = Patience)]
    public async Task Two_ranks_publish_once_and_a_run_that_lost_a_rank_goes_on_to_the_same_models()
    {
        string config = Path.Combine(trained.Folder, "ranks.json");
        await File.WriteAllTextAsync(
            config, TrainedVersion.TinyConfig.Replace("\"seed\": 5,", "\"seed\": 5, \"checkpoint_seconds\": 0,", StringComparison.Ordinal));
        string whole = Path.Combine(trained.Folder, "ranks-whole"), disturbed = Path.Combine(trained.Folder, "ranks-disturbed");

        var done = await RebuildAsync(whole, config, Plain, Plain);
        Assert.True(done.ExitCode == 0, done.Error);
        Assert.True(JsonDocument.Parse(done.Output).RootElement.GetProperty("active").GetBoolean()); // one object: the other rank is silent
        var progress = done.Error.Split('\n').Where(line => line.Contains('%', StringComparison.Ordinal)).ToList();
        Assert.Equal(progress.Distinct(), progress);
        var expected = Assert.Single(new VersionStore(whole).List());
        var single = new VersionStore(trained.Versions).Open(trained.Version).Items;
        Assert.Equal(single.SemanticIds, new VersionStore(whole).Open(expected.Version).Items.SemanticIds);

        // Three legs of 20 steps, twice, each step with a checkpoint. Rank 1 does all of the first and 8 of the second; the next start does
        // the other 92, or it would die again at its hundredth. Then rank 0 dies while pictures are learned.
        var lost = await RebuildAsync(disturbed, config, Plain, ["-env", "RECSYS_KILL_AT", "retrieval/checkpoint:28"]);
        Assert.NotEqual(0, lost.ExitCode);
        Assert.True(Checkpoint("retrieval.id"), lost.Error);
        Assert.True(Checkpoint("retrieval.content"), lost.Error);
        Assert.False(Checkpoint("retrieval.generative"), lost.Error);
        lost = await RebuildAsync(
            disturbed, config, ["-env", "RECSYS_KILL_AT", "creative/checkpoint:5"], ["-env", "RECSYS_KILL_AT", "retrieval/checkpoint:100"]);
        Assert.NotEqual(0, lost.ExitCode);
        Assert.True(Checkpoint("retrieval_open.generative"), lost.Error);
        Assert.True(Checkpoint("creative"), lost.Error);
        Assert.Empty(new VersionStore(disturbed).List());

        done = await RebuildAsync(disturbed, config, Plain, Plain);
        Assert.True(done.ExitCode == 0, done.Error);
        var resumed = Assert.Single(new VersionStore(disturbed).List());
        Assert.Equal(Models(expected), Models(resumed));

        bool Checkpoint(string stage) =>
            Directory.GetFiles(Path.Combine(disturbed, ".checkpoints"), stage + ".safetensors", SearchOption.AllDirectories).Length == 1;
    }

    [Fact(Timeout = Patience)]
    public async Task Ranks_without_the_library_are_told_what_to_install()
    {
        string[] without = ["-env", "RECSYS_MPI", "/nowhere/libmpich.so.12"];
        var result = await RebuildAsync(Path.Combine(trained.Folder, "ranks-none"), trained.Config, without, without);
        Assert.Equal(ExitCode.Missing, result.ExitCode);
        Assert.Contains(
            "/nowhere/libmpich.so.12 does not load; install Debian's MPICH on every machine (apt-get install mpich)", result.Error,
            StringComparison.Ordinal);
    }

    private static Dictionary<string, string> Models(Recsys.Catalog.Ports.VersionManifest manifest) =>
        manifest.Files.Where(file => file.Key != "report.json").ToDictionary(file => file.Key, file => file.Value.Sha256);

    /// <param name="first">mpirun's own options for rank 0.</param>
    /// <param name="second">And for rank 1.</param>
    private async Task<Cli.Result> RebuildAsync(string versions, string config, string[] first, string[] second)
    {
        string[] rebuild = ["dotnet", Cli.Assembly, "rebuild", "--data", trained.Data, "--out", versions, "--config", config, "--json"];
        string[] arguments = ["-n", "1", .. first, .. rebuild, ":", "-n", "1", .. second, .. rebuild];
        var start = new ProcessStartInfo("mpirun.mpich", arguments)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            WorkingDirectory = RepositoryRoot.Path,
        };
        start.Environment["MPIEXEC_TIMEOUT"] = "500"; // in seconds: a rank that hangs would keep a core busy for ever
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return new Cli.Result(process.ExitCode, await output, await error);
    }
}
