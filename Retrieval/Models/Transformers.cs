namespace Recsys.Retrieval.Models;

/// <summary>What the transformers here have in common.</summary>
internal static class Transformers
{
    /// <summary>GPT-2's initialisation: N(0, .02), the projections back into the residual stream smaller by √(2 · layers).</summary>
    public static void Initialise(Module module, int layers, Generator generator)
    {
        using var _ = no_grad();
        foreach (var (name, parameter) in module.named_parameters())
        {
            if (parameter.dim() > 1)
            {
                bool residual = name.EndsWith("output.weight", StringComparison.Ordinal)
                    || name.EndsWith("down.weight", StringComparison.Ordinal);
                parameter.normal_(0, residual ? 0.02 / Math.Sqrt(2 * layers) : 0.02, generator);
            }
            else if (name.EndsWith("bias", StringComparison.Ordinal))
            {
                init.zeros_(parameter);
            }
        }
    }
}
