using Recsys.Quantizer.Models;

namespace Recsys.Quantizer.Training;

/// <summary>What the training of an autoencoder does for its codes, beside the reconstruction.</summary>
/// <param name="bFloat16">As of <see cref="RqVaeOptions.BFloat16"/>.</param>
internal abstract class CodeTraining(bool? bFloat16)
{
    public abstract Autoencoder Model { get; }

    public bool? BFloat16 => bFloat16;

    /// <summary>Once, when the bare autoencoder has warmed up.</summary>
    /// <param name="x">[n, input], standardised and shuffled.</param>
    public abstract void Start(Tensor x, long seed, CancellationToken cancel);

    /// <summary>One pass through the codes.</summary>
    /// <param name="rows">[n, input] of this rank.</param>
    /// <param name="done">Share of all steps that are done.</param>
    /// <returns>[n, input] the reconstruction, and what is added to its loss; a mean over this rank's rows.</returns>
    public abstract (Tensor Reconstruction, Tensor Penalty) Pass(Tensor rows, double done);

    /// <summary>After the optimiser's step on the last pass.</summary>
    public virtual void AfterStep()
    {
    }

    /// <summary>After each epoch.</summary>
    public virtual void AfterEpoch(Tensor x)
    {
    }

    /// <summary>After the last one.</summary>
    public virtual void Finish(Tensor x)
    {
    }
}

/// <summary>RQ-VAE and VQ-VAE: β‖r − sg(e)‖² (+ ‖sg(r) − e‖² where codes follow the gradient).</summary>
internal sealed class VectorCodeTraining : CodeTraining
{
    private const double FinalTemperature = 0.1; // of the first

    private readonly RqVae _model;
    private readonly RqVaeOptions _options;
    private readonly CodebookFollower _follower;
    private readonly Generator _noise;
    private RqVaePass? _pass;

    /// <param name="noise">Of Gumbel-softmax: its own, as ranks draw for their own rows.</param>
    public VectorCodeTraining(RqVae model, QuantizerOptions options, long seed, FusedAdamW optimizer, Generator noise, Ranks ranks)
        : base(options.RqVae.BFloat16)
    {
        (_model, _options, _noise) = (model, options.RqVae, noise);
        _follower = new CodebookFollower(
            model.Codebooks, options, new Random(Seeds.ToInt32(seed)), FollowsGradient(options.RqVae) ? optimizer : null, ranks);
    }

    public override Autoencoder Model => _model;

    public static bool FollowsGradient(RqVaeOptions options) => options.CodebookUpdate == CodebookUpdate.Gradient;

    public override void Start(Tensor x, long seed, CancellationToken cancel) => _follower.Start(_model, x, seed, cancel);

    public override (Tensor Reconstruction, Tensor Penalty) Pass(Tensor rows, double done)
    {
        var gumbel = new GumbelNoise(_noise, _options.GumbelTemperature * Math.Pow(FinalTemperature, done));
        _pass = _model.Pass(rows, _options.GradientEstimator, gumbel);
        var penalty = _pass.CommitmentLoss * _options.CommitmentWeight;
        return (_pass.Reconstruction, FollowsGradient(_options) ? penalty + _pass.CodebookLoss : penalty);
    }

    public override void AfterStep() => _follower.Follow(_pass!);

    public override void AfterEpoch(Tensor x) => _follower.Balance(_model, x);

    public override void Finish(Tensor x) => _follower.Finish(_model, x);
}

/// <summary>FSQ and LFQ: no codebook to follow. The latent starts whitened, so that each value takes its numbers evenly.</summary>
internal sealed class ScalarCodeTraining(ScalarAutoencoder model, QuantizerOptions options) : CodeTraining(options.RqVae.BFloat16)
{
    // tanh of a value spread like artanh of an even one is even: its deviation is π / √12.
    private const double EvenTanh = 0.9069;
    private const int MaxRows = 65_536, JointBits = 8;

    public override Autoencoder Model => model;

    public override void Start(Tensor x, long seed, CancellationToken cancel)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var z = model.Latent(x.narrow(0, 0, Math.Min(MaxRows, x.shape[0]))).to(ScalarType.Float64); // [n, latent]
        var mean = z.mean([0]);
        var centred = z - mean;
        var (values, vectors) = linalg.eigh(centred.t().matmul(centred) / z.shape[0]);
        var deviations = values.clamp_min(1e-6 * Math.Max(1e-6, values.amax().ToDouble())).sqrt() / (model.Signs ? 1 : EvenTanh);
        var whiten = (vectors / deviations).matmul(vectors.t()); // [latent, latent], symmetric
        var unwhiten = (vectors * deviations).matmul(vectors.t());
        var (last, first) = model.AroundLatent;
        var (lastWeight, lastBias) = (last.weight.to(ScalarType.Float64), last.bias!.to(ScalarType.Float64));
        var firstWeight = first.weight.to(ScalarType.Float64);
        first.bias!.add_(firstWeight.matmul(mean).to(ScalarType.Float32));
        first.weight.copy_(firstWeight.matmul(unwhiten));
        last.bias.copy_(whiten.matmul(lastBias - mean));
        last.weight.copy_(whiten.matmul(lastWeight));
    }

    public override (Tensor Reconstruction, Tensor Penalty) Pass(Tensor rows, double done)
    {
        var z = model.Latent(rows);
        var quantised = model.Quantised(z);
        var penalty = model.Signs
            ? (functional.mse_loss(z, quantised.detach()) * options.RqVae.CommitmentWeight) + (EntropyLoss(z) * options.Lfq.EntropyWeight)
            : zeros(1, device: rows.device);
        return (model.FromLatent(quantised), penalty);
    }

    /// <summary>
    /// E[H(code | z)] − H(E[code]) with bits that are independent given z, p = σ(4z / τ) (Yu et al. 2023, equation 6). The first
    /// term is exact; the second is summed over groups of at most eight bits, as the joint code of sixteen has 65,536 values a row.
    /// </summary>
    /// <param name="z">[n, latent]</param>
    private Tensor EntropyLoss(Tensor z)
    {
        var p = (z * (4 / options.Lfq.Temperature)).sigmoid().clamp(1e-6, 1 - 1e-6); // [n, bits]
        var loss = -((p * p.log()) + ((1 - p) * (1 - p).log())).sum(1).mean();
        foreach (var (from, count) in Groups())
        {
            var joint = ones(z.shape[0], 1, device: z.device); // [n, 2^bits so far]
            for (int bit = from; bit < from + count; bit++)
            {
                var one = p.narrow(1, bit, 1);
                joint = cat([joint * (1 - one), joint * one], 1);
            }

            var even = joint.mean([0]);
            loss = loss + (even * even.clamp_min(1e-12).log()).sum();
        }

        return loss;
    }

    private IEnumerable<(int From, int Count)> Groups()
    {
        int at = 0;
        foreach (var level in model.Values)
        {
            for (int from = 0; from < level.Count; from += JointBits)
            {
                int count = Math.Min(JointBits, level.Count - from);
                yield return (at, count);
                at += count;
            }
        }
    }
}
