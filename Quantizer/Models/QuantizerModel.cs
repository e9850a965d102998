using Recsys.Torch.Kernels;

namespace Recsys.Quantizer.Models;

/// <summary>Fused vectors to codes and back. Safe to use from any thread while it is not moved.</summary>
public abstract class QuantizerModel(string name) : nn.Module(name)
{
    /// <summary>Values of one input vector.</summary>
    public abstract int InputDim { get; }

    /// <summary>[levels] codes at each level.</summary>
    public abstract IReadOnlyList<int> Sizes { get; }

    /// <summary>Where it computes.</summary>
    public Device Device => parameters().Concat(buffers()).First().device;

    /// <summary>The codes of vectors, coarse to fine.</summary>
    /// <param name="x">[n, InputDim]</param>
    /// <param name="beam">Tuples of codes that are kept from level to level where a level quantises what the others left over; 1 takes each
    /// level's nearest code. Where levels do not depend on each other, nearest codes are the best tuple, and it changes nothing.</param>
    /// <returns>[n, levels] int64</returns>
    public abstract Tensor Encode(Tensor x, int beam = 1);

    /// <summary>A faster way to the same codes, but for rounding, once they no longer change; the caller's to dispose. Null: there is
    /// none.</summary>
    public virtual ResidualCodes? Settled() => null;

    /// <summary>What <see cref="Settled"/> reads of vectors.</summary>
    /// <param name="x">[n, InputDim]</param>
    public virtual Tensor BeforeCodes(Tensor x) => x;

    /// <summary>The vectors that codes stand for.</summary>
    /// <param name="codes">[n, levels] int64</param>
    /// <returns>[n, InputDim]</returns>
    public abstract Tensor Decode(Tensor codes);
}
