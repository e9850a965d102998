namespace Recsys.Torch.Optim;

/// <summary>The part of our optimisers' native calls that stands beside TorchSharp's optimisers, out of its operators.</summary>
internal static class NativeOptimizer
{
    /// <summary>targets += weight·(sources − targets).</summary>
    internal static void Lerp(IList<Tensor> targets, IList<Tensor> sources, double weight)
    {
        using var quiet = no_grad();
        foreach (var (target, source) in targets.Zip(sources))
        {
            target.lerp_(source, weight);
        }
    }
}
