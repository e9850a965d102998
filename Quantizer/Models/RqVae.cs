namespace Recsys.Quantizer.Models;

/// <summary>What one pass of an <see cref="RqVae"/> gives to its training.</summary>
/// <param name="Reconstruction">[n, input]</param>
/// <param name="CodebookLoss">Σ_d ‖sg(r_d) − e_d‖², mean over items and values: moves codes only.</param>
/// <param name="CommitmentLoss">Σ_d ‖r_d − sg(e_d)‖², mean over items and values: moves the encoder only.</param>
/// <param name="Codes">[levels] of [n]</param>
/// <param name="Residuals">[levels] of [n, latent], detached: what each level had to quantise.</param>
public sealed record RqVaePass(Tensor Reconstruction, Tensor CodebookLoss, Tensor CommitmentLoss, Tensor[] Codes, Tensor[] Residuals);

/// <summary>
/// RQ-VAE (Zeghidour et al. 2021; as item tokeniser: Rajput et al. 2023, section 3.1): an encoder, residual codebooks on its latent, a
/// decoder. Inputs are standardised first by one mean vector and one scale, which keeps the geometry of the embedding.
/// </summary>
public sealed class RqVae : QuantizerModel
{
    private readonly Sequential _encoder;
    private readonly Sequential _decoder;
    private readonly Tensor mean; // named as registered, or moving the module leaves the field behind
    private readonly Tensor scale;

    /// <param name="hidden">Widths of the encoder's hidden layers; the decoder mirrors them.</param>
    /// <param name="trainableCodes">Whether codes follow the gradient of the codebook loss.</param>
    public RqVae(int inputDim, IReadOnlyList<int> hidden, int latentDim, IReadOnlyList<int> sizes, bool trainableCodes = false)
        : base(nameof(RqVae))
    {
        (InputDim, Hidden, LatentDim) = (inputDim, hidden, latentDim);
        _encoder = Mlp([inputDim, .. hidden, latentDim]);
        _decoder = Mlp([latentDim, .. hidden.Reverse(), inputDim]);
        Codebooks = new ResidualCodebooks(sizes, latentDim, trainableCodes);
        (mean, scale) = (zeros(inputDim), ones(1));
        register_module("encoder", _encoder);
        register_module("decoder", _decoder);
        register_module("codebooks", Codebooks);
        register_buffer(nameof(mean), mean);
        register_buffer(nameof(scale), scale);
        this.Keep();
    }

    public override int InputDim { get; }

    public IReadOnlyList<int> Hidden { get; }

    public int LatentDim { get; }

    public ResidualCodebooks Codebooks { get; }

    public override IReadOnlyList<int> Sizes => Codebooks.Sizes;

    /// <summary>Sets the standardisation: x becomes (x − centre) · factor.</summary>
    /// <param name="centre">[input]</param>
    /// <param name="factor">[1]</param>
    public void Standardise(Tensor centre, Tensor factor)
    {
        using var _ = no_grad();
        mean.copy_(centre);
        scale.copy_(factor);
    }

    /// <param name="x">[n, input] as fused.</param>
    /// <returns>[n, input] of mean 0 and, over all values, variance 1.</returns>
    public Tensor Standardised(Tensor x) => (x - mean) * scale;

    /// <param name="x">[n, input], standardised.</param>
    /// <returns>[n, latent]</returns>
    public Tensor Latent(Tensor x) => _encoder.forward(x);

    /// <param name="z">[n, latent]</param>
    /// <returns>[n, input], standardised.</returns>
    public Tensor FromLatent(Tensor z) => _decoder.forward(z);

    /// <summary>The autoencoder without codes between: for warming up.</summary>
    public Tensor Autoencode(Tensor x) => FromLatent(Latent(x));

    /// <param name="x">[n, input], standardised.</param>
    public RqVaePass Pass(Tensor x)
    {
        var z = Latent(x); // [n, latent]
        var (codes, residuals) = (new Tensor[Sizes.Count], new Tensor[Sizes.Count]);
        var (residual, sum) = (z, zeros_like(z));
        Tensor codebookLoss = zeros(1, device: x.device), commitmentLoss = zeros(1, device: x.device);
        for (int level = 0; level < Sizes.Count; level++)
        {
            residuals[level] = residual.detach();
            codes[level] = Codebooks.Nearest(residuals[level], level);
            var e = Codebooks.Codes[level].index_select(0, codes[level]); // [n, latent]
            codebookLoss = codebookLoss + functional.mse_loss(e, residuals[level]);
            commitmentLoss = commitmentLoss + functional.mse_loss(residual, e.detach());
            sum = sum + e;
            residual = residual - e.detach();
        }

        // Straight-through estimator (van den Oord et al. 2017, section 3.2): the value of the codes, the gradient of the latent.
        var quantised = z + (sum - z).detach();
        return new RqVaePass(FromLatent(quantised), codebookLoss, commitmentLoss, codes, residuals);
    }

    public override Tensor Encode(Tensor x) => Codebooks.Encode(Latent(Standardised(x)));

    public override Tensor Decode(Tensor codes) => (FromLatent(Codebooks.Decode(codes)) / scale) + mean;

    private static Sequential Mlp(int[] widths)
    {
        var layers = new List<(string, Module<Tensor, Tensor>)>();
        for (int i = 0; i + 1 < widths.Length; i++)
        {
            layers.Add(($"linear{i}", Linear(widths[i], widths[i + 1])));
            if (i + 2 < widths.Length)
            {
                layers.Add(($"relu{i}", ReLU()));
            }
        }

        return Sequential(layers);
    }
}
