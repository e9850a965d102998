using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Training;

/// <summary>The optimiser steps of one training.</summary>
internal sealed class TrainingLoop : IDisposable
{
    private const long Ignored = -100; // a padding slot's target

    private readonly DecoderOnly _network;
    private readonly ItemVectors? _vectors;
    private readonly TokenLayout _layout;
    private readonly RetrievalOptions _options;
    private readonly Device _device;
    private readonly Ranks _ranks;
    private readonly bool _bfloat16;
    private readonly int[] _codes;
    private readonly int _window, _slots; // items of the longest window, and of a batch
    private readonly StepPlans _plans;
    private readonly List<Parameter> _parameters;
    private readonly FusedAdamW _optimizer;
    private readonly WeightAverage? _average;

    public TrainingLoop(
        DecoderOnly network, ItemVectors? vectors, TokenLayout layout, RetrievalTrainingData data, RetrievalOptions options, long seed,
        Device device, Ranks ranks)
    {
        (_network, _vectors, _layout, _options, _device, _ranks) = (network, vectors, layout, options, device, ranks);
        _bfloat16 = options.BFloat16 ?? device.HasFastBFloat16();
        _codes = layout.Codes(data.Items);
        _window = options.History + 1;
        long items = TrainingWindows.OfEpoch(data.Training, _window, new Random(0)).Sum(window => (long)window.Length);
        _slots = (int)Math.Max(_window, Math.Min(options.BatchTokens / layout.Depth, items));
        _plans = new StepPlans(data.Training, options, _slots, data.Items.Count, new Random(Seeds.ToInt32(seed)));
        long epoch = Math.Max(1, (long)Math.Ceiling(items / (double)_slots));
        Total = (int)Math.Clamp(epoch * options.Epochs, options.MinSteps, options.MaxSteps);

        network.train();
        vectors?.train();
        var named = network.named_parameters().Concat(vectors?.named_parameters() ?? []).Select(pair => pair.parameter).ToList();
        _parameters = named;
        ranks.Broadcast(named);

        // Weight decay on matrices alone; gains and biases are left be (nanoGPT).
        _optimizer = new FusedAdamW(
            [
                new AdamW.ParamGroup(
                    named.Where(parameter => parameter.dim() > 1), options.LearningRate, 0.9, 0.98, weight_decay: options.WeightDecay),
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
        double rate = _options.LearningRate * LearningRates.WarmupCosine(Step, Math.Max(1, _options.Warmup * Total), Total, floor: 0.02);
        _optimizer.SetLearningRate(rate);
        _network.zero_grad(); // to null: what takes no part in a step is not moved
        _vectors?.zero_grad();
        Tensor loss, total;
        Tensor? dense, surrogate;
        using (MixedPrecision.Scope(_bfloat16))
        {
            (loss, dense, surrogate) = Losses(_plans.Next().Share(_ranks, _window));
            total = surrogate is null ? loss : loss + (surrogate * _options.DenseLoss);
        }

        total.backward();
        _ranks.SumGradients(_parameters);
        nn.utils.clip_grad_norm_(_parameters, _options.ClipNorm);
        _optimizer.step();
        _average?.Update();
        Step++;
        var losses = new Dictionary<string, double> { ["loss"] = _ranks.Sum((double)loss.item<float>()), ["learning_rate"] = rate };
        if (dense is not null)
        {
            losses["dense_loss"] = _ranks.Sum((double)dense.item<float>());
        }

        return losses;
    }

    /// <summary>Puts the averaged weights in place, if there are any.</summary>
    public void Finish() => _average?.Apply();

    /// <summary>Writes everything that the next step depends on.</summary>
    public void Save(TrainingCheckpoint checkpoint, string identity)
    {
        var state = _parameters.Select((parameter, i) => ($"parameter.{i}", (Tensor)parameter))
            .Concat((_average?.Averages ?? []).Select((average, i) => ($"average.{i}", average)));
        checkpoint.Save(identity, Step, _optimizer, state.ToDictionary(entry => entry.Item1, entry => entry.Item2));
    }

    /// <summary>Goes on where a checkpoint of this very training was written, if there is one.</summary>
    public void Restore(TrainingCheckpoint checkpoint, string identity)
    {
        using var ungraded = no_grad();
        using var scope = NewDisposeScope();
        if (checkpoint.Load(identity, _optimizer) is { } saved)
        {
            for (int i = 0; i < _parameters.Count; i++)
            {
                _parameters[i].copy_(saved.Tensors[$"parameter.{i}"]);
            }

            Step = (int)saved.Step;
            _average?.Restore([.. _parameters.Select((_, i) => saved.Tensors[$"average.{i}"])], Step);
            for (int step = 0; step < Step; step++)
            {
                _plans.Next(); // as drawn then
            }
        }
    }

    public void Dispose()
    {
        _plans.Dispose();
        _average?.Dispose();
        _optimizer.Dispose();
    }

    /// <summary>−log P of the target items: the sum over their tokens, the mean over the whole batch's items. And the dense head's, where
    /// there is one.</summary>
    private (Tensor Loss, Tensor? Dense, Tensor? Surrogate) Losses(StepPlan plan)
    {
        int depth = _layout.Depth;
        var batch = plan.Batch;
        int slots = batch.Items.Length;
        Tensor? previous = null;
        if (_vectors is not null && plan.Hidden is not null)
        {
            var indexes = batch.Previous.Select((item, slot) => item < 0 || plan.Hidden[slot] ? _vectors.None : (long)item).ToArray();
            previous = _vectors.Forward(tensor(indexes, [1, slots], device: _device));
        }

        var input = new SlotInput(
            tensor(_layout.Tokens(_codes, batch.Items, batch.Previous), [1, slots, depth], device: _device),
            tensor(Array.ConvertAll(batch.Positions, at => (long)at), [1, slots], device: _device),
            previous);
        var offsets = tensor(Array.ConvertAll(batch.Starts, start => (long)start * depth));
        var dropout = plan.MaskSeeds is null ? null : new DropoutSeeds(_options.Dropout, plan.MaskSeeds, (long)plan.FirstSlot * depth);
        var states = _network.Forward(input, offsets, dropout).unbind(1); // [depth] each [slots, dim]
        Tensor? loss = null;
        for (int level = 0; level < depth; level++)
        {
            var targets = tensor(
                Array.ConvertAll(batch.Items, item => item < 0 ? Ignored : (long)_codes[(item * depth) + level]), [slots], device: _device);
            var logits = _network.Logits(states[level], level).to(ScalarType.Float32);
            var part = functional.cross_entropy(logits, targets, ignore_index: Ignored, reduction: Reduction.Sum) / plan.Targets;
            loss = loss is null ? part : loss + part;
        }

        if (plan.Dense is null)
        {
            return (loss!, null, null);
        }

        var (dense, surrogate) = DenseLoss(plan, states[0]);
        return (loss!, dense, surrogate);
    }

    private (Tensor Loss, Tensor Surrogate) DenseLoss(StepPlan plan, Tensor states)
    {
        var at = tensor(Array.ConvertAll(plan.Dense!, slot => (long)slot), [plan.Dense!.Length], device: _device);
        var targets = tensor(Array.ConvertAll(plan.Dense, slot => (long)plan.Batch.Items[slot]), [plan.Dense.Length], device: _device);
        return FullSoftmaxLoss.Of(
            _network.DenseQueries(states.index_select(0, at)), _vectors!.Table().narrow(0, 0, _vectors.None), targets, plan.DenseTargets);
    }
}
