namespace Recsys.Diffusion.Conditioners;

/// <summary>What a denoiser receives beside picture and time.</summary>
/// <param name="Vec">[batch, dim] added to the time embedding.</param>
/// <param name="Concat">[batch, channels, side, side] put behind the picture's own channels; null for none.</param>
public sealed record Cond(Tensor Vec, Tensor? Concat = null)
{
    /// <summary>One batch behind the other.</summary>
    public static Cond Join(Cond first, Cond second) =>
        new(cat([first.Vec, second.Vec], 0), first.Concat is { } a && second.Concat is { } b ? cat([a, b], 0) : null);
}

/// <summary>Turns requests into conditions, and knows how to forget parts of them (for classifier-free guidance).</summary>
public interface IConditioner<TRequest>
{
    /// <summary>The request that asks for nothing; its condition is learned.</summary>
    TRequest Null { get; }

    /// <summary>Conditions of a batch, with gradients into the conditioner's own parameters.</summary>
    Cond Encode(IReadOnlyList<TRequest> requests);

    /// <summary>The request, or what is left of it, for one uniform draw in [0, 1).</summary>
    TRequest Drop(TRequest request, double uniform);
}
