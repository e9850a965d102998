using Recsys.Torch;
using static Recsys.Torch.torch;

namespace Recsys.Server.Selftest;

/// <summary>Every check, in the order of the table.</summary>
internal static class Suite
{
    private static readonly ISelfCheck[] All =
    [
        .. ElementChecks.All, .. ActivationChecks.All, .. ReductionChecks.All, .. IndexingChecks.All, .. LinearAlgebraChecks.All, .. ConvolutionChecks.All,
        .. NetworkChecks.All, .. LossChecks.All, .. ModuleChecks.All, new TrainingChecks(), new CudaChecks(),
    ];

    public static List<CheckResult> Run(Device device, int seed)
    {
        long live = LiveTensorCount;
        List<CheckResult> results;
        using (NewDisposeScope())
        {
            results = [.. All.SelectMany(check => check.Check(device, seed))];
        }

        results.Add(new CheckResult("tensors that outlive their check", LiveTensorCount - live, 0));
        return results;
    }
}
