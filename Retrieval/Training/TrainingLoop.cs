using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Training;

/// <summary>The optimiser steps of one training.</summary>
internal sealed class TrainingLoop : IDisposable
{
    /// <summary>Cells of the dense head's [targets, items] matrix; beyond, a step takes fewer targets.</summary>
    private const int MaxSoftmaxCells = 1 << 26;

    private const long Ignored = -100; // a padding slot's target

    private readonly DecoderOnly _network;
    private readonly ItemVectors? _vectors;
    private readonly TokenLayout _layout;
    private readonly SequenceSet _training;
    private readonly RetrievalOptions _options;
    private readonly Device _device;
    private readonly bool _bfloat16;
    private readonly int[] _codes;
    private readonly int _window, _slots; // items of the longest window, and of a batch
    private readonly Random _random;
    private readonly DropoutSeeds? _dropout;
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
        _window = options.History + 1;
        long items = TrainingWindows.OfEpoch(_training, _window, new Random(0)).Sum(window => (long)window.Length);
        _slots = (int)Math.Max(_window, Math.Min(options.BatchTokens / layout.Depth, items));
        _dropout = options.Dropout > 0 ? new DropoutSeeds(options.Dropout, _random) : null;
        long epoch = Math.Max(1, (long)Math.Ceiling(items / (double)_slots));
        Total = (int)Math.Clamp(epoch * options.Epochs, options.MinSteps, options.MaxSteps);

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
            _batches = PackedBatch.Pack(_training, TrainingWindows.OfEpoch(_training, _window, _random), _slots).GetEnumerator();
        }

        return _batches.Current;
    }

    /// <summary>−log P of the target items: the sum over their tokens, the mean over items. And the dense head's, where there is one.</summary>
    private (Tensor Loss, Tensor? Dense, Tensor? Surrogate) Losses(PackedBatch batch)
    {
        int depth = _layout.Depth;
        Tensor? previous = null;
        if (_vectors is not null && _options.DenseInputs)
        {
            var indexes = Array.ConvertAll(batch.Previous, item => item < 0 || _random.NextDouble() < _options.DenseDropout ? _vectors.None : (long)item);
            previous = _vectors.Forward(tensor(indexes, [1, _slots], device: _device));
        }

        var input = new SlotInput(
            tensor(_layout.Tokens(_codes, batch.Items, batch.Previous), [1, _slots, depth], device: _device),
            tensor(Array.ConvertAll(batch.Positions, at => (long)at), [1, _slots], device: _device),
            previous);
        var offsets = tensor(Array.ConvertAll(batch.Starts, start => (long)start * depth));
        var states = _network.Forward(input, offsets, _dropout).unbind(1); // [depth] each [slots, dim]
        Tensor? loss = null;
        for (int level = 0; level < depth; level++)
        {
            var targets = tensor(Array.ConvertAll(batch.Items, item => item < 0 ? Ignored : (long)_codes[(item * depth) + level]), [_slots], device: _device);
            var part = functional.cross_entropy(_network.Logits(states[level], level).to(ScalarType.Float32), targets, ignore_index: Ignored);
            loss = loss is null ? part : loss + part;
        }

        if (!_network.HasDenseHead)
        {
            return (loss!, null, null);
        }

        var (dense, surrogate) = DenseLoss(batch, states[0]);
        return (loss!, dense, surrogate);
    }

    /// <summary>A random share of the positions is enough, and the softmax over all items is what costs.</summary>
    private (Tensor Loss, Tensor Surrogate) DenseLoss(PackedBatch batch, Tensor states)
    {
        // The first item of a window follows nothing and would teach popularity alone.
        var later = Enumerable.Range(0, _slots).Where(slot => batch.Previous[slot] >= 0 && _random.NextDouble() < _options.DenseShare)
            .DefaultIfEmpty(0).Take(Math.Max(64, MaxSoftmaxCells / _vectors!.None)).ToArray();
        var at = tensor(Array.ConvertAll(later, slot => (long)slot), [later.Length], device: _device);
        var targets = tensor(Array.ConvertAll(later, slot => (long)batch.Items[slot]), [later.Length], device: _device);
        return FullSoftmaxLoss.Of(_network.DenseQueries(states.index_select(0, at)), _vectors.Table().narrow(0, 0, _vectors.None), targets);
    }
}
