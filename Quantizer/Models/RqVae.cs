using Recsys.Torch.Kernels;

namespace Recsys.Quantizer.Models;

/// <summary>What one pass of an <see cref="RqVae"/> gives to its training.</summary>
/// <param name="Reconstruction">[n, input]</param>
/// <param name="CodebookLoss">Σ_d ‖sg(r_d) − e_d‖², mean over items and values: moves codes only.</param>
/// <param name="CommitmentLoss">Σ_d ‖r_d − sg(e_d)‖², mean over items and values: moves the encoder only.</param>
/// <param name="Codes">[levels] of [n]</param>
/// <param name="Residuals">[levels] of [n, width], detached: what each level had to quantise.</param>
public sealed record RqVaePass(Tensor Reconstruction, Tensor CodebookLoss, Tensor CommitmentLoss, Tensor[] Codes, Tensor[] Residuals);

/// <summary>
/// RQ-VAE (Zeghidour et al. 2021; as item tokeniser: Rajput et al. 2023, section 3.1): an encoder, residual codebooks on its latent, a
/// decoder. With product codebooks it is VQ-VAE (van den Oord et al. 2017): each part of the latent is quantised by itself, one part a
/// level. With one level the two are the same.
/// </summary>
public sealed class RqVae : Autoencoder
{
    /// <param name="hidden">Widths of the encoder's hidden layers; the decoder mirrors them.</param>
    /// <param name="trainableCodes">Whether codes follow the gradient.</param>
    /// <param name="product">Whether the levels quantise parts of the latent instead of residuals.</param>
    public RqVae(
        int inputDim, IReadOnlyList<int> hidden, int latentDim, IReadOnlyList<int> sizes, bool trainableCodes = false,
        bool product = false)
        : base(nameof(RqVae), inputDim, hidden, latentDim)
    {
        Codebooks = product
            ? new ProductCodebooks(sizes, latentDim, trainableCodes)
            : new ResidualCodebooks(sizes, latentDim, trainableCodes);
        register_module("codebooks", Codebooks);
    }

    public VectorCodebooks Codebooks { get; }

    public override IReadOnlyList<int> Sizes => Codebooks.Sizes;

    /// <param name="x">[n, input], standardised.</param>
    /// <param name="estimator">How the reconstruction's gradient gets past the choice of codes.</param>
    /// <param name="gumbel">What it draws with, for <see cref="GradientEstimator.GumbelSoftmax"/>.</param>
    public RqVaePass Pass(Tensor x, GradientEstimator estimator = GradientEstimator.StraightThrough, GumbelNoise? gumbel = null)
    {
        var z = Latent(x); // [n, latent]
        var (codes, residuals, quantised) = (new Tensor[Sizes.Count], new Tensor[Sizes.Count], new Tensor[Sizes.Count]);
        var rest = z;
        Tensor codebookLoss = zeros(1, device: x.device), commitmentLoss = zeros(1, device: x.device);
        for (int level = 0; level < Sizes.Count; level++)
        {
            var input = Codebooks.Input(rest, level); // [n, width]
            residuals[level] = input.detach();
            if (estimator == GradientEstimator.GumbelSoftmax)
            {
                (codes[level], quantised[level]) = Estimators.Gumbel(Codebooks, input, level, gumbel!);
            }
            else
            {
                codes[level] = Codebooks.Nearest(input, level);
                quantised[level] = Codebooks.Vectors(codes[level], level).detach();
            }

            var e = Codebooks.Vectors(codes[level], level); // [n, width]
            codebookLoss = codebookLoss + functional.mse_loss(e, residuals[level]);
            commitmentLoss = commitmentLoss + functional.mse_loss(input, e.detach());
            rest = Codebooks.Left(rest, e.detach());
        }

        var sum = Codebooks.Joined(quantised); // [n, latent]
        var latent = estimator switch
        {
            GradientEstimator.RotationTrick => Estimators.Rotated(z, sum),
            GradientEstimator.GumbelSoftmax => sum,
            _ => Estimators.StraightThrough(z, sum),
        };
        return new RqVaePass(FromLatent(latent), codebookLoss, commitmentLoss, codes, residuals);
    }

    public override ResidualCodes? Settled() => Codebooks.Settled();

    public override Tensor BeforeCodes(Tensor x) => Latent(Standardised(x));

    protected override Tensor EncodeLatent(Tensor z, int beam) => Codebooks.Encode(z, beam);

    protected override Tensor DecodeLatent(Tensor codes) => Codebooks.Decode(codes);
}
