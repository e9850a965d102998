using System.Text.Json.Serialization;

namespace Recsys.Quantizer.Models;

/// <summary>How the gradient of the reconstruction gets past the choice of codes, which has none.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<GradientEstimator>))]
public enum GradientEstimator
{
    /// <summary>The latent gets the gradient of its codes unchanged (van den Oord et al. 2017, section 3.2).</summary>
    [JsonStringEnumMemberName("straight-through")]
    StraightThrough,

    /// <summary>The gradient is turned and stretched as the latent is to its codes (Fifty et al. 2024).</summary>
    [JsonStringEnumMemberName("rotation")]
    RotationTrick,

    /// <summary>Codes are drawn by their nearness, and the gradient is that of the softmax (Jang et al. 2017).</summary>
    [JsonStringEnumMemberName("gumbel")]
    GumbelSoftmax,
}

/// <summary>What Gumbel-softmax draws with.</summary>
/// <param name="Generator">On the CPU, whatever the model's device.</param>
/// <param name="Temperature">Above 0, as a share of the level's mean squared error: the smaller, the nearer to the nearest code.</param>
public sealed record GumbelNoise(Generator Generator, double Temperature);

internal static class Estimators
{
    /// <returns>The value of <paramref name="quantised"/>, the gradient of <paramref name="z"/>.</returns>
    public static Tensor StraightThrough(Tensor z, Tensor quantised) => z + (quantised - z).detach();

    /// <summary>
    /// λRz with the rotation R from z's direction to the codes', both held fixed (Fifty et al. 2024, section 4.2):
    /// R = I − 2rrᵀ + 2q̂ẑᵀ, r = (ẑ + q̂)/‖ẑ + q̂‖, λ = ‖q‖/‖z‖.
    /// </summary>
    /// <param name="z">[n, latent]</param>
    /// <param name="quantised">[n, latent]</param>
    public static Tensor Rotated(Tensor z, Tensor quantised)
    {
        var (from, to) = (z.detach(), quantised.detach());
        var (fromNorm, toNorm) = (Norm(from), Norm(to)); // [n, 1]
        var (unit, target) = (from / fromNorm, to / toNorm);
        var middle = unit + target;
        middle = middle / Norm(middle);
        var turned = z - (2 * Along(z, middle) * middle) + (2 * Along(z, unit) * target);
        var stretched = turned * (toNorm / fromNorm);
        return stretched + (to - stretched).detach(); // what rounding and vectors of no direction leave of a difference
    }

    /// <summary>Draws codes with probability softmax(−cost / τ); hard forward, soft backward. The codes get a gradient too.</summary>
    /// <param name="input">[n, width]</param>
    /// <returns>[n] the codes, and [n, width] their vectors.</returns>
    public static (Tensor Codes, Tensor Vectors) Gumbel(VectorCodebooks codebooks, Tensor input, int level, GumbelNoise noise)
    {
        var codes = codebooks.Codes[level];
        var costs = input.pow(2).sum(1, keepdim: true) + codes.pow(2).sum(1).unsqueeze(0) - (input.matmul(codes.t()) * 2)
            + codebooks.Prices[level].unsqueeze(0); // [n, size]
        var scale = (codebooks.Distances(input.detach(), level).amin(1) + input.detach().pow(2).sum(1)).mean().clamp_min(1e-8);
        var logits = costs * (-1 / noise.Temperature) / scale;
        var uniform = rand(costs.shape, generator: noise.Generator).clamp(1e-7, 1 - 1e-7).to(input.device);
        var drawn = logits - (-uniform.log()).log();
        var chosen = drawn.detach().argmax(1);
        var soft = softmax(drawn, 1).matmul(codes);
        var hard = codebooks.Vectors(chosen, level).detach();
        return (chosen, StraightThrough(soft, hard));
    }

    private static Tensor Norm(Tensor x) => x.pow(2).sum(1, keepdim: true).sqrt().clamp_min(1e-8);

    private static Tensor Along(Tensor z, Tensor direction) => (z * direction).sum(1, keepdim: true);
}
