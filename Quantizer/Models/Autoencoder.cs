namespace Recsys.Quantizer.Models;

/// <summary>
/// An autoencoder whose latent becomes codes. Inputs are standardised first by one mean vector and one scale, which keeps the geometry of
/// the embedding.
/// </summary>
public abstract class Autoencoder : QuantizerModel
{
    private readonly Sequential _encoder;
    private readonly Sequential _decoder;

    /// <param name="hidden">Widths of the encoder's hidden layers; the decoder mirrors them.</param>
    /// <param name="latentDim">Values of the latent.</param>
    protected Autoencoder(string name, int inputDim, IReadOnlyList<int> hidden, int latentDim)
        : base(name)
    {
        (InputDim, Hidden, LatentDim) = (inputDim, hidden, latentDim);
        _encoder = Mlp([inputDim, .. hidden, latentDim]);
        _decoder = Mlp([latentDim, .. hidden.Reverse(), inputDim]);
        register_module("encoder", _encoder);
        register_module("decoder", _decoder);
        register_buffer("mean", zeros(inputDim));
        register_buffer("scale", ones(1));
        this.Keep();
    }

    public override int InputDim { get; }

    public IReadOnlyList<int> Hidden { get; }

    public int LatentDim { get; }

    /// <summary>The layer that gives the latent, and the one that takes it.</summary>
    internal (Linear Last, Linear First) AroundLatent =>
        (_encoder.children().OfType<Linear>().Last(), _decoder.children().OfType<Linear>().First());

    private Tensor Mean => get_buffer("mean")!;

    private Tensor Scale => get_buffer("scale")!;

    /// <summary>Sets the standardisation: x becomes (x − centre) · factor.</summary>
    /// <param name="centre">[input]</param>
    /// <param name="factor">[1]</param>
    public void Standardise(Tensor centre, Tensor factor)
    {
        using var _ = no_grad();
        Mean.copy_(centre);
        Scale.copy_(factor);
    }

    /// <param name="x">[n, input] as fused.</param>
    /// <returns>[n, input] of mean 0 and, over all values, variance 1.</returns>
    public Tensor Standardised(Tensor x) => (x - Mean) * Scale;

    /// <param name="x">[n, input], standardised.</param>
    /// <returns>[n, latent]</returns>
    public Tensor Latent(Tensor x) => Through(_encoder, x);

    /// <param name="z">[n, latent]</param>
    /// <returns>[n, input], standardised.</returns>
    public Tensor FromLatent(Tensor z) => Through(_decoder, z);

    /// <summary>The autoencoder without codes between: for warming up.</summary>
    public Tensor Autoencode(Tensor x) => FromLatent(Latent(x));

    public override Tensor Encode(Tensor x, int beam = 1) => EncodeLatent(Latent(Standardised(x)), beam);

    public override Tensor Decode(Tensor codes) => (FromLatent(DecodeLatent(codes)) / Scale) + Mean;

    /// <param name="z">[n, latent]</param>
    /// <returns>[n, levels] int64</returns>
    protected abstract Tensor EncodeLatent(Tensor z, int beam);

    /// <param name="codes">[n, levels] int64</param>
    /// <returns>[n, latent]</returns>
    protected abstract Tensor DecodeLatent(Tensor codes);

    // In the precision of the scope, and float32 again behind it: codes and losses are small differences.
    private static Tensor Through(Sequential layers, Tensor x) => layers.children()
        .Aggregate(x, (value, layer) => layer is Linear linear ? linear.Apply(value) : ((Module<Tensor, Tensor>)layer).forward(value))
        .to(ScalarType.Float32);

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
