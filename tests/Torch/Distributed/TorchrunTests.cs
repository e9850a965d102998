using System.Diagnostics;
using Recsys.Torch.Tests.Peer;

namespace Recsys.Torch.Tests.Distributed;

/// <summary>PyTorch's own launcher starts our ranks.</summary>
public sealed class TorchrunTests
{
    // Debian's torch 1.13 cannot read its own --redirects default under Python 3.11.
    private const string Torchrun = """
        import sys
        from torch.distributed.elastic.multiprocessing import api
        api.Std.from_str = classmethod(lambda c, v: c(0))
        from torch.distributed.run import main
        main(sys.argv[1:])
        """;

    [TorchrunFact]
    public async Task Ranks_started_by_torchrun_find_each_other()
    {
        var start = new ProcessStartInfo("/usr/bin/python3", ["-c", Torchrun, "--standalone", "--nproc_per_node", "2", "--no_python", "dotnet", typeof(RankProgram).Assembly.Location, "rank", "sum"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await error);
        Assert.Equal("sum 3\nsum 3\n", output);
    }
}

[AttributeUsage(AttributeTargets.Method)]
public sealed class TorchrunFactAttribute : FactAttribute
{
    public TorchrunFactAttribute()
    {
        if (Environment.GetEnvironmentVariable("RECSYS_FULL") != "1")
        {
            Skip = "6 seconds of torchrun: set RECSYS_FULL=1.";
        }
        else if (!PyTorch.IsInstalled)
        {
            Skip = "/usr/bin/python3 has no torch (apt-get install python3-torch).";
        }
    }
}
