namespace Recsys.Diffusion.Denoisers;

/// <summary>Sinusoidal embedding of the time (Vaswani et al. 2017, section 3.5, as used by DDPM and by latent diffusion).</summary>
public static class TimeEmbedding
{
    /// <param name="time">[batch]</param>
    /// <param name="dim">Even.</param>
    /// <param name="cosineFirst">Latent diffusion's order; DDPM has the sines first.</param>
    /// <param name="shift">1 in DDPM, 0 in latent diffusion: what the frequencies' exponent leaves out of its denominator.</param>
    /// <returns>[batch, dim]</returns>
    public static Tensor Of(Tensor time, int dim, bool cosineFirst = true, double shift = 0)
    {
        using var scope = NewDisposeScope();
        int half = dim / 2;
        var frequencies = tensor(Enumerable.Range(0, half).Select(i => (float)Math.Exp(-Math.Log(10_000) * i / (half - shift))).ToArray());
        var angles = time.to(ScalarType.Float32).unsqueeze(1) * frequencies.to(time.device).unsqueeze(0); // [batch, dim / 2]
        var (sine, cosine) = (angles.sin(), angles.cos());
        return cat(cosineFirst ? [cosine, sine] : [sine, cosine], 1).MoveToOuterDisposeScope();
    }
}
