namespace Recsys.Diffusion.Denoisers;

/// <summary>Sinusoidal embedding of the time (Vaswani et al. 2017, section 3.5), in latent diffusion's order: the cosines first.</summary>
public static class TimeEmbedding
{
    /// <param name="time">[batch]</param>
    /// <param name="dim">Even.</param>
    /// <returns>[batch, dim]</returns>
    public static Tensor Of(Tensor time, int dim)
    {
        using var scope = NewDisposeScope();
        int half = dim / 2;
        var frequencies = tensor(Enumerable.Range(0, half).Select(i => (float)Math.Exp(-Math.Log(10_000) * i / half)).ToArray());
        var angles = time.to(ScalarType.Float32).unsqueeze(1) * frequencies.to(time.device).unsqueeze(0); // [batch, dim / 2]
        return cat([angles.cos(), angles.sin()], 1).MoveToOuterDisposeScope();
    }
}
