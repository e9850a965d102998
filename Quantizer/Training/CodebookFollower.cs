using Recsys.Quantizer.Models;

namespace Recsys.Quantizer.Training;

/// <summary>
/// Keeps an RQ-VAE's codebooks with its moving latents: running means of the residuals that chose each code (van den Oord et al. 2017,
/// appendix A.1), revival of codes that hardly anyone chooses, and prices that spread the choice.
/// </summary>
internal sealed class CodebookFollower
{
    private const int PriceIterations = 3;
    private const int MaxBalanced = 65_536;

    private readonly VectorCodebooks _codebooks;
    private readonly QuantizerOptions _options;
    private readonly Random _random;
    private readonly FusedAdamW? _optimizer;
    private readonly Ranks _ranks;
    private readonly Tensor[] _counts; // [levels] of [size], running mean of choices per step
    private readonly Tensor[] _sums; // [levels] of [size, dim]
    private readonly Tensor[] _prices; // [levels] of [size], at full strength

    /// <param name="optimizer">Moves the codes where they follow the gradient; null: nothing but this class does.</param>
    /// <param name="ranks">The processes that train together; null: this one alone.</param>
    public CodebookFollower(
        VectorCodebooks codebooks, QuantizerOptions options, Random random, FusedAdamW? optimizer = null, Ranks? ranks = null)
    {
        (_codebooks, _options, _random, _optimizer, _ranks) = (codebooks, options, random, optimizer, ranks ?? Ranks.Alone);
        _counts = [.. codebooks.Prices.Select(p => ones_like(p))];
        _sums = [.. codebooks.Codes.Select(c => zeros_like(c.detach()))];
        _prices = [.. codebooks.Prices.Select(p => zeros_like(p))];
    }

    /// <summary>First codes: k-means of the latents of one large batch.</summary>
    public void Start(RqVae model, Tensor x, long seed, CancellationToken cancel)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var latent = model.Latent(Head(x, Math.Max(_options.RqVae.InitialBatch, _codebooks.Sizes.Max())));
        KMeansTrainer.Fit(_codebooks, latent, _options with { BalanceStrength = 0 }, seed, null, _ranks, cancel);
        double perCode = (double)Math.Min(_options.RqVae.BatchSize, x.shape[0]);
        for (int level = 0; level < _counts.Length; level++)
        {
            _counts[level].fill_(perCode / _codebooks.Sizes[level]);
            _sums[level].copy_(_codebooks.Codes[level] * _counts[level].unsqueeze(1));
        }
    }

    /// <summary>After a step: moves the codes to their running means, unless they follow the gradient, and revives dead ones.</summary>
    /// <param name="pass">Of this rank's share of the batch.</param>
    public void Follow(RqVaePass pass)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        double decay = _options.RqVae.EmaDecay;
        long items = (long)_ranks.Sum((double)pass.Residuals[0].shape[0]); // of the whole batch
        for (int level = 0; level < _counts.Length; level++)
        {
            int size = _codebooks.Sizes[level];
            var chosen = _ranks.Sum(bincount(pass.Codes[level], minlength: size).to_type(ScalarType.Float32)); // [size]
            var sums = _ranks.Sum(zeros_like(_sums[level]).index_add(0, pass.Codes[level], pass.Residuals[level], 1));
            _counts[level].mul_(decay).add_(chosen * (1 - decay));
            _sums[level].mul_(decay).add_(sums * (1 - decay));
            if (_options.RqVae.CodebookUpdate == CodebookUpdate.Ema)
            {
                _codebooks.Codes[level].copy_(_sums[level] / _counts[level].clamp_min(1e-6).unsqueeze(1));
            }

            Revive(level, pass.Residuals[level], items);
        }
    }

    // A dead code moves onto a residual of the batch. Its running state, its price and the optimiser's moments go with it, or the next
    // step would move it by what it was.
    private void Revive(int level, Tensor residuals, long items)
    {
        double even = (double)items / _codebooks.Sizes[level];
        using var counts = _counts[level].cpu().data<float>();
        var dead = counts.ToArray()
            .Select((count, code) => (count, code)).Where(c => c.count < _options.RqVae.DeadCodeShare * even).Select(c => (long)c.code)
            .ToArray();
        if (dead.Length == 0)
        {
            return;
        }

        var codes = tensor(dead).to(residuals.device);
        var fresh = Rows(residuals, [.. dead.Select(_ => (long)_random.Next((int)items))], items); // [dead, dim]
        _codebooks.Codes[level].index_copy_(0, codes, fresh);
        _counts[level].index_fill_(0, codes, even);
        _sums[level].index_copy_(0, codes, fresh * even);
        _prices[level].index_fill_(0, codes, 0);
        _codebooks.Prices[level].index_fill_(0, codes, 0);
        _optimizer?.Forget(_codebooks.Codes[level], codes);
    }

    // Rows of the whole batch, each from the rank that has it.
    private Tensor Rows(Tensor residuals, long[] rows, long items)
    {
        var (from, count) = _ranks.Share(items);
        var mine = rows.Index().Where(row => row.Item >= from && row.Item < from + count).ToArray();
        var places = tensor(mine.Select(row => (long)row.Index).ToArray(), device: residuals.device);
        var here = tensor(mine.Select(row => row.Item - from).ToArray(), device: residuals.device);
        var found = zeros(rows.Length, residuals.shape[1], device: residuals.device); // [rows, dim]
        return _ranks.Sum(found.index_copy_(0, places, residuals.index_select(0, here)));
    }

    /// <summary>After an epoch: prices for the codes as they are now, from all latents (at most a sample of them).</summary>
    public void Balance(RqVae model, Tensor x)
    {
        if (_options.BalanceStrength == 0)
        {
            return;
        }

        using var _ = no_grad();
        using var scope = NewDisposeScope();
        using var precision = MixedPrecision.Scope(_options.RqVae.BFloat16 ?? x.device.HasFastBFloat16()); // the latents that the steps see
        var head = Head(x, MaxBalanced);
        var rest = model.Latent(_ranks.Share(head));
        for (int level = 0; level < _prices.Length; level++)
        {
            int candidates = BlockPlan.For(head.shape[0], _codebooks.Sizes[level]).Candidates;
            var input = _codebooks.Input(rest, level);
            if (!CodePrices.Improve(
                _codebooks, level, input, _prices[level], _options.BalanceTemperature, PriceIterations, candidates, _ranks))
            {
                return;
            }

            _codebooks.Prices[level].copy_(_prices[level] * _options.BalanceStrength);
            rest = _codebooks.Left(rest, _codebooks.Vectors(_codebooks.Nearest(input, level), level));
        }
    }

    /// <summary>At the end: codes that no latent has are put where they serve one; nothing moves them any more.</summary>
    public void Finish(RqVae model, Tensor x)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var rest = model.Latent(Head(x, MaxBalanced));
        for (int level = 0; level < _prices.Length; level++)
        {
            var input = _codebooks.Input(rest, level);
            CodeRevival.Spread(_codebooks, level, input);
            rest = _codebooks.Left(rest, _codebooks.Vectors(_codebooks.Nearest(input, level), level));
        }
    }

    // The trainer has shuffled the rows.
    private static Tensor Head(Tensor x, int rows) => x.shape[0] <= rows ? x : x.narrow(0, 0, rows);
}
