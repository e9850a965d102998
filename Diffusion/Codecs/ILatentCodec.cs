namespace Recsys.Diffusion.Codecs;

/// <summary>Between pictures in [−1, 1] and what the denoiser works on.</summary>
public interface ILatentCodec
{
    /// <summary>Latent channels of an RGB picture.</summary>
    int Channels { get; }

    /// <summary>Picture side over latent side.</summary>
    int Factor { get; }

    /// <summary>[batch, 3, side, side] → [batch, Channels, side / Factor, side / Factor].</summary>
    Tensor Encode(Tensor pictures);

    /// <summary>The way back.</summary>
    Tensor Decode(Tensor latents);
}

/// <summary>Pixels themselves.</summary>
public sealed class IdentityCodec : ILatentCodec
{
    public int Channels => 3;

    public int Factor => 1;

    public Tensor Encode(Tensor pictures) => pictures;

    public Tensor Decode(Tensor latents) => latents;
}

/// <summary>
/// Space to depth: each 2 × 2 square becomes 12 channels. Lossless; a network of the same width costs a quarter, which on a CPU buys
/// more training steps than the finer first level is worth.
/// </summary>
public sealed class SpaceToDepthCodec : ILatentCodec
{
    public int Channels => 12;

    public int Factor => 2;

    public Tensor Encode(Tensor pictures)
    {
        var (n, side) = (pictures.shape[0], pictures.shape[2] / 2);
        return pictures.reshape(n, 3, side, 2, side, 2).permute(0, 1, 3, 5, 2, 4).reshape(n, 12, side, side); // [n, 3·2·2, s/2, s/2]
    }

    public Tensor Decode(Tensor latents)
    {
        var (n, side) = (latents.shape[0], latents.shape[2]);
        return latents.reshape(n, 3, 2, 2, side, side).permute(0, 1, 4, 2, 5, 3).reshape(n, 3, side * 2, side * 2); // [n, 3, s, s]
    }
}
