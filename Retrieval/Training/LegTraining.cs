using Recsys.Retrieval.Legs;

namespace Recsys.Retrieval.Training;

/// <summary>
/// The optimiser steps of one leg: batches of windows, AdamW on a cosine, and looks at validation targets, the best of which is kept and
/// too many without a better one end the training. One seed, one model (on a CPU).
/// </summary>
internal abstract class LegTraining : IDisposable
{
    /// <summary>Looks at validation targets in a whole training, at even distances.</summary>
    public const int Looks = 20;

    private readonly IReadOnlyList<Module> _modules;
    private readonly LegOptions _options;
    private readonly Device _device;
    private readonly bool _bfloat16;
    private readonly int _window; // items of the longest window
    private readonly StepPlans _plans;
    private readonly List<Parameter> _parameters;
    private readonly FusedAdamW _optimizer;
    private readonly List<Tensor> _best;
    private double _bestScore = double.NegativeInfinity;
    private int _missed; // looks since the best
    private int _bestStep;

    /// <param name="modules">Whose parameters are trained.</param>
    /// <param name="draws">What is drawn for each step.</param>
    protected LegTraining(
        IReadOnlyList<Module> modules, SequenceSet training, LegOptions options, StepDraws draws, long seed, Device device, Ranks ranks)
    {
        (_modules, _options, _device, Ranks) = (modules, options, device, ranks);
        _bfloat16 = options.BFloat16 ?? device.HasFastBFloat16();
        _window = options.History + 1;
        long items = TrainingWindows.OfEpoch(training, _window, new Random(0)).Sum(window => (long)window.Length);
        int slots = (int)Math.Max(_window, Math.Min(options.BatchItems, items));
        _plans = new StepPlans(training, options, draws, slots, new Random(Seeds.ToInt32(seed)));
        long epoch = Math.Max(1, (long)Math.Ceiling(items / (double)slots));
        Total = End = (int)Math.Clamp(epoch * options.Epochs, options.MinSteps, options.MaxSteps);

        foreach (var module in modules)
        {
            module.train();
        }

        _parameters = [.. modules.SelectMany(module => module.named_parameters()).Select(pair => pair.parameter)];
        ranks.Broadcast(_parameters);

        // Weight decay on matrices alone; gains and biases are left be (nanoGPT).
        _optimizer = new FusedAdamW(
            [
                new AdamW.ParamGroup(
                    _parameters.Where(parameter => parameter.dim() > 1), options.LearningRate, 0.9, 0.98,
                    weight_decay: options.WeightDecay),
                new AdamW.ParamGroup(
                    _parameters.Where(parameter => parameter.dim() <= 1), options.LearningRate, 0.9, 0.98, weight_decay: 0),
            ]);
        using var _ = no_grad();
        _best = [.. _parameters.Select(parameter => parameter.detach().clone().DetachFromDisposeScope())];
    }

    protected Ranks Ranks { get; }

    protected Device Device => _device;

    public int Step { get; private set; }

    public int Total { get; }

    /// <summary>The step after which the training ends, whatever the schedule: another training's best. At first the last one.</summary>
    public int End { get; private set; }

    /// <summary>Share of all steps after which the weights were best.</summary>
    public double BestAt => (double)_bestStep / Total;

    /// <summary>Whether there is no further step.</summary>
    public bool Done => Step >= End || _missed >= _options.Patience;

    /// <summary>Whether the next thing to do is a look at the validation targets.</summary>
    public bool LookDue => Step == End || Step % Math.Max(1, Total / Looks) == 0;

    /// <summary>Ends the training early, on the schedule of a whole one.</summary>
    /// <param name="share">Of all steps, above 0 to 1.</param>
    public void EndAt(double share) => End = Math.Max(1, (int)Math.Round(share * Total));

    /// <summary>One optimiser step.</summary>
    /// <returns>The losses by name.</returns>
    public Dictionary<string, double> Advance()
    {
        using var scope = NewDisposeScope();
        double rate = _options.LearningRate * LearningRates.WarmupCosine(Step, Math.Max(1, _options.Warmup * Total), Total, floor: 0.02);
        _optimizer.SetLearningRate(rate);
        foreach (var module in _modules)
        {
            module.zero_grad(); // to null: what takes no part in a step is not moved
        }

        Tensor loss, objective;
        using (MixedPrecision.Scope(_bfloat16))
        {
            (loss, objective) = Losses(_plans.Next().Share(Ranks, _window));
        }

        objective.backward();
        Ranks.SumGradients(_parameters);
        nn.utils.clip_grad_norm_(_parameters, _options.ClipNorm);
        _optimizer.step();
        Step++;
        return new() { ["loss"] = Ranks.Sum((double)loss.item<float>()), ["learning_rate"] = rate };
    }

    /// <summary>Keeps the weights if they are the best so far.</summary>
    /// <param name="score">What they reach on validation targets, the larger the better; NaN: there are none, the last are kept.</param>
    public void Judge(double score)
    {
        if (double.IsNaN(score) || score > _bestScore)
        {
            (_bestScore, _missed, _bestStep) = (double.IsNaN(score) ? _bestScore : score, 0, Step);
            Copy(_parameters, _best);
        }
        else
        {
            _missed++;
        }
    }

    /// <summary>Puts the best weights in place.</summary>
    public void Finish() => Copy(_best, _parameters);

    /// <summary>Writes everything that the next step depends on.</summary>
    public void Save(TrainingCheckpoint checkpoint, string identity)
    {
        using var scope = NewDisposeScope();
        var state = _parameters.Select((parameter, i) => ($"parameter.{i}", (Tensor)parameter))
            .Concat(_best.Select((best, i) => ($"best.{i}", best))).Append(("judged", tensor([_bestScore, _missed, _bestStep])));
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
                _best[i].copy_(saved.Tensors[$"best.{i}"]);
            }

            var judged = saved.Tensors["judged"].data<double>().ToArray();
            (_bestScore, _missed, _bestStep, Step) = (judged[0], (int)judged[1], (int)judged[2], (int)saved.Step);
            for (int step = 0; step < Step; step++)
            {
                _plans.Next(); // as drawn then
            }
        }
    }

    public void Dispose()
    {
        _plans.Dispose();
        _optimizer.Dispose();
        _best.ForEach(best => best.Dispose());
        GC.SuppressFinalize(this);
    }

    /// <summary>The loss of one step's share, whose sum over the ranks is the mean over the batch's targets, and a scalar with its
    /// gradient.</summary>
    protected abstract (Tensor Loss, Tensor Objective) Losses(StepPlan plan);

    private static void Copy(IEnumerable<Tensor> from, IEnumerable<Tensor> to)
    {
        using var _ = no_grad();
        foreach (var (source, target) in from.Zip(to))
        {
            target.copy_(source);
        }
    }
}
