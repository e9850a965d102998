using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Training;

/// <summary>The optimiser steps of one training.</summary>
internal sealed class TrainingLoop : IDisposable
{
    /// <summary>Cells of the dense head's [targets, items] matrix; beyond, a step takes fewer targets.</summary>
    private const int MaxSoftmaxCells = 1 << 26;

    private readonly DecoderOnly _network;
    private readonly ItemVectors? _vectors;
    private readonly TokenLayout _layout;
    private readonly SequenceSet _training;
    private readonly RetrievalOptions _options;
    private readonly Device _device;
    private readonly bool _bfloat16;
    private readonly int[] _codes;
    private readonly int _slots, _rows;
    private readonly Random _random;
    private readonly StripDropout? _dropout;
    private readonly Tensor _causal; // [length, length]
    private readonly List<Parameter> _parameters;
    private readonly optim.Optimizer _optimizer;
    private readonly WeightAverage? _average;
    private IEnumerator<PackedBatch>? _batches;

    public TrainingLoop(DecoderOnly network, ItemVectors? vectors, TokenLayout layout, RetrievalTrainingData data, RetrievalOptions options, long seed, Device device)
    {
        (_network, _vectors, _layout, _training, _options, _device) = (network, vectors, layout, data.Training, options, device);
        _bfloat16 = options.BFloat16 ?? (device.type == DeviceType.CPU && TorchRuntime.CpuHasBFloat16);
        _random = new Random(unchecked((int)(seed ^ (seed >> 32))));
        _codes = layout.Codes(data.Items);
        _slots = options.History + 1;
        _rows = Math.Max(1, options.BatchTokens / (_slots * layout.Depth));
        _dropout = options.Dropout > 0 ? new StripDropout(options.Dropout, _rows * _slots * layout.Depth * options.Dim, _random, device) : null;
        long items = TrainingWindows.OfEpoch(_training, _slots, new Random(0)).Sum(window => (long)window.Length);
        long epoch = Math.Max(1, (long)Math.Ceiling(items / (double)(_rows * _slots)));
        Total = (int)Math.Clamp(epoch * options.Epochs, options.MinSteps, options.MaxSteps);

        long length = _slots * layout.Depth;
        _causal = ones(length, length, ScalarType.Bool, device).tril().DetachFromDisposeScope();
        network.train();
        vectors?.train();
        var named = network.named_parameters().Concat(vectors?.named_parameters() ?? []).Select(pair => pair.parameter).ToList();
        _parameters = named;
        // Weight decay on matrices alone; gains and biases are left be (nanoGPT).
        _optimizer = optim.AdamW(
            [
                new AdamW.ParamGroup(named.Where(parameter => parameter.dim() > 1), options.LearningRate, 0.9, 0.98, weight_decay: options.WeightDecay),
                new AdamW.ParamGroup(named.Where(parameter => parameter.dim() <= 1), options.LearningRate, 0.9, 0.98, weight_decay: 0),
            ]);
        _average = options.Ema > 0 ? new WeightAverage(named, options.Ema) : null;
    }

    public int Step { get; private set; }

    public int Total { get; }

    /// <summary>One optimiser step.</summary>
    /// <returns>The losses by name.</returns>
    public Dictionary<string, double> Advance()
    {
        using var scope = NewDisposeScope();
        double rate = LearningRate();
        foreach (var group in _optimizer.ParamGroups)
        {
            group.LearningRate = rate;
        }

        _optimizer.zero_grad();
        Tensor loss, total;
        Tensor? dense, surrogate;
        using (Autocast.On(_device, ScalarType.BFloat16, _bfloat16))
        {
            (loss, dense, surrogate) = Losses(Next());
            total = surrogate is null ? loss : loss + (surrogate * _options.DenseLoss);
        }

        total.backward();
        nn.utils.clip_grad_norm_(_parameters, _options.ClipNorm);
        _optimizer.step();
        _average?.Update();
        Step++;
        var losses = new Dictionary<string, double> { ["loss"] = loss.item<float>(), ["learning_rate"] = rate };
        if (dense is not null)
        {
            losses["dense_loss"] = dense.item<float>();
        }

        return losses;
    }

    /// <summary>Puts the averaged weights in place, if there are any.</summary>
    public void Finish() => _average?.Apply();

    public void Dispose()
    {
        _batches?.Dispose();
        _average?.Dispose();
        _optimizer.Dispose();
        _causal.Dispose();
        _dropout?.Dispose();
    }

    /// <summary>Linear warm-up, then a cosine down to a fiftieth.</summary>
    private double LearningRate()
    {
        double warmup = Math.Max(1, _options.Warmup * Total);
        double share = Step < warmup ? (Step + 1) / warmup : 0.02 + (0.98 * 0.5 * (1 + Math.Cos(Math.PI * (Step - warmup) / Math.Max(1, Total - warmup))));
        return _options.LearningRate * share;
    }

    private PackedBatch Next()
    {
        while (_batches is null || !_batches.MoveNext())
        {
            _batches?.Dispose();
            _batches = PackedBatch.Pack(_training, TrainingWindows.OfEpoch(_training, _slots, _random), _slots, _rows).GetEnumerator();
        }

        return _batches.Current;
    }

    /// <summary>−log P of the target items: the sum over their tokens, the mean over items. And the dense head's, where there is one.</summary>
    private (Tensor Loss, Tensor? Dense, Tensor? Surrogate) Losses(PackedBatch batch)
    {
        var (rows, slots, depth) = (batch.Rows, batch.Slots, _layout.Depth);
        Tensor? previous = null;
        if (_vectors is not null && _options.DenseInputs)
        {
            var indexes = Array.ConvertAll(batch.Previous, item => item < 0 || _random.NextDouble() < _options.DenseDropout ? _vectors.None : (long)item);
            previous = _vectors.Forward(tensor(indexes, [rows, slots], device: _device));
        }

        var input = new SlotInput(
            tensor(_layout.Tokens(_codes, batch.Items, batch.Previous), [rows, slots, depth], device: _device),
            tensor(Array.ConvertAll(batch.Positions, at => (long)at), [rows, slots], device: _device),
            previous);
        var hidden = _network.Forward(input, Bias(batch), _dropout); // [rows, slots, depth, dim]

        var filled = Enumerable.Range(0, rows * slots).Where(slot => batch.Items[slot] >= 0).ToArray();
        var at = tensor(Array.ConvertAll(filled, slot => (long)slot), [filled.Length], device: _device);
        var states = hidden.view(rows * slots, depth, _network.Dim).index_select(0, at); // [items, depth, dim]
        Tensor? loss = null;
        for (int level = 0; level < depth; level++)
        {
            var targets = tensor(Array.ConvertAll(filled, slot => (long)_codes[(batch.Items[slot] * depth) + level]), [filled.Length], device: _device);
            var part = functional.cross_entropy(_network.Logits(states.select(1, level), level).to(ScalarType.Float32), targets);
            loss = loss is null ? part : loss + part;
        }

        if (!_network.HasDenseHead)
        {
            return (loss!, null, null);
        }

        var (dense, surrogate) = DenseLoss(batch, filled, states.select(1, 0));
        return (loss!, dense, surrogate);
    }

    /// <summary>A random share of the positions is enough, and the softmax over all items is what costs.</summary>
    private (Tensor Loss, Tensor Surrogate) DenseLoss(PackedBatch batch, int[] filled, Tensor states)
    {
        // The first item of a window follows nothing and would teach popularity alone.
        var later = Enumerable.Range(0, filled.Length).Where(i => batch.Previous[filled[i]] >= 0 && _random.NextDouble() < _options.DenseShare)
            .DefaultIfEmpty(0).Take(Math.Max(64, MaxSoftmaxCells / _vectors!.None)).ToArray();
        var at = tensor(Array.ConvertAll(later, i => (long)i), [later.Length], device: _device);
        var targets = tensor(Array.ConvertAll(later, i => (long)batch.Items[filled[i]]), [later.Length], device: _device);
        return FullSoftmaxLoss.Of(_network.DenseQueries(states.index_select(0, at)), _vectors.Table().narrow(0, 0, _vectors.None), targets);
    }

    /// <summary>A position sees itself and what came before it in its own window.</summary>
    private Tensor Bias(PackedBatch batch)
    {
        var segments = tensor(Array.ConvertAll(batch.Segments, segment => (long)segment), [batch.Rows, batch.Slots, 1], device: _device)
            .expand(-1, -1, _layout.Depth).reshape(batch.Rows, -1); // [rows, length]
        var visible = segments.unsqueeze(2).eq(segments.unsqueeze(1)).logical_and(_causal); // [rows, length, length]
        return zeros(visible.shape, _bfloat16 ? ScalarType.BFloat16 : ScalarType.Float32, _device).masked_fill(visible.logical_not(), float.NegativeInfinity).unsqueeze(1);
    }
}
