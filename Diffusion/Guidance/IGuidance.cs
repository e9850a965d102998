using Recsys.Diffusion.Conditioners;

namespace Recsys.Diffusion.Guidance;

/// <summary>Combines what the network says with and without the condition.</summary>
public interface IGuidance
{
    /// <param name="net">The network at one time: (x, condition) → output, any batch size.</param>
    /// <param name="x">[batch, …]</param>
    /// <param name="given">The condition asked for.</param>
    /// <param name="none">The null condition.</param>
    Tensor Apply(Func<Tensor, Cond, Tensor> net, Tensor x, Cond given, Cond none);
}

/// <summary>
/// Classifier-free guidance (Ho and Salimans 2022): u + s (c − u), both halves in one forward pass. Scale 1 is the conditional model
/// and 0 the unconditional one, bit for bit.
/// </summary>
public sealed class Cfg(double scale) : IGuidance
{
    public Tensor Apply(Func<Tensor, Cond, Tensor> net, Tensor x, Cond given, Cond none)
    {
        if (scale == 1 || scale == 0)
        {
            return net(x, scale == 1 ? given : none);
        }

        var both = net(cat([x, x], 0), Cond.Join(given, none)); // [2 × batch, …]
        var (c, u) = (both.narrow(0, 0, x.shape[0]), both.narrow(0, x.shape[0], x.shape[0]));
        return u + ((c - u) * scale);
    }
}
