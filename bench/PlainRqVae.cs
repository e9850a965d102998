namespace Recsys.Bench;

/// <summary>RQ-VAE as TorchSharp's users write it, of the product's default shape: straight-through, codes that follow the mean of what
/// chose them.</summary>
internal static class PlainRqVae
{
    public const int Batch = 2048;
    private const int Dim = 192, Latent = 32, Levels = 3, Size = 256;

    /// <returns>Milliseconds of one training step.</returns>
    public static Func<double> Steps()
    {
        manual_seed(7);
        Sequential Mlp(params int[] widths) => Sequential(widths.Zip(widths.Skip(1)).Index().SelectMany(
            layer => layer.Index + 2 < widths.Length
                ? new Module<Tensor, Tensor>[] { Linear(layer.Item.First, layer.Item.Second), ReLU() }
                : [Linear(layer.Item.First, layer.Item.Second)]));
        var (encoder, decoder) = (Mlp(Dim, 512, 256, 128, Latent), Mlp(Latent, 128, 256, 512, Dim));
        var optimizer = optim.AdamW(encoder.parameters().Concat(decoder.parameters()), 1e-3, weight_decay: 1e-4);
        var codes = Enumerable.Range(0, Levels).Select(_ => randn(Size, Latent)).ToArray();
        var (counts, sums) = (codes.Select(_ => ones(Size)).ToArray(), codes.Select(level => level.clone()).ToArray());
        var x = randn(Batch, Dim);
        return SuiteCase.Timed(() =>
        {
            using var scope = NewDisposeScope();
            encoder.zero_grad();
            decoder.zero_grad();
            var z = encoder.forward(x);
            var (rest, quantised, commitment) = (z, zeros_like(z), zeros(1));
            for (int level = 0; level < Levels; level++)
            {
                using var _ = no_grad();
                var distances = codes[level].square().sum(1) - (2 * matmul(rest, codes[level].t()));
                var chosen = distances.argmin(1);
                Follow(level, chosen, rest);
                var vectors = codes[level].index_select(0, chosen);
                using (enable_grad())
                {
                    commitment = commitment + functional.mse_loss(rest, vectors);
                    rest = rest - vectors;
                    quantised = quantised + vectors;
                }
            }

            var output = decoder.forward(z + (quantised - z).detach());
            (functional.mse_loss(output, x) + (0.25 * commitment)).sum().backward();
            optimizer.step();
        });

        void Follow(int level, Tensor chosen, Tensor rest)
        {
            var hits = functional.one_hot(chosen, Size).to(ScalarType.Float32); // [batch, size]
            counts[level].mul_(0.99).add_(hits.sum(0), alpha: 0.01);
            sums[level].mul_(0.99).add_(matmul(hits.t(), rest), alpha: 0.01);
            codes[level].copy_(sums[level] / counts[level].clamp_min(1e-5).unsqueeze(1));
        }
    }
}
