using System.CommandLine;
using Recsys.Catalog;
using Recsys.Server.Selftest;
using Recsys.Server.Terminal;
using Recsys.Torch;

namespace Recsys.Server.Verbs;

internal static class SelftestVerb
{
    private const int Seed = 7;

    public static Command Create()
    {
        var device = new Option<string>("--device") { Description = "cpu or cuda.", DefaultValueFactory = _ => "cpu" };
        var command = new Command("selftest", "Numeric checks of the engine on a device: float32 against float64, gradients against differences, repeatability.") { device };
        command.OnRun((parsed, cancel) => Task.Run(() =>
        {
            var where = parsed.GetValue(device) switch
            {
                "cpu" => torch.CPU,
                "cuda" => TorchRuntime.HasCuda ? torch.CUDA : throw CatalogException.Precondition("This libtorch has no CUDA. Name one that has with LIBTORCH=<folder>."),
                var other => throw CatalogException.Invalid($"--device '{other}': write cpu or cuda."),
            };
            var results = Suite.Run(where, Seed);
            int failed = results.Count(result => !result.Passed);
            return new VerbResult(
                new { device = parsed.GetValue(device), libtorch = TorchRuntime.Version, bf16 = TorchRuntime.CpuHasBFloat16, passed = results.Count - failed, failed, checks = results },
                output =>
                {
                    output.WriteLine($"libtorch {TorchRuntime.Version} on {parsed.GetValue(device)}, {torch.get_num_threads()} threads, bf16 products {(TorchRuntime.CpuHasBFloat16 ? "fast" : "slow")}");
                    foreach (var result in results)
                    {
                        output.WriteLine($"  {(result.Passed ? "ok    " : "FAILED")} {result.Name,-44} {result.Error,10:G3}  (at most {result.Limit:G3}) {result.Fault}");
                    }

                    output.WriteLine($"{results.Count - failed} passed, {failed} failed");
                },
                failed == 0 ? ExitCode.Done : ExitCode.Unexpected);
        }, cancel));
        return command;
    }
}
