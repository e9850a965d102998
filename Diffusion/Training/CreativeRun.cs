using System.Text.Json;
using Recsys.Diffusion.Denoisers;
using Recsys.Diffusion.Model;

namespace Recsys.Diffusion.Training;

/// <summary>The optimiser steps of one training.</summary>
internal sealed class CreativeRun : IDisposable
{
    private readonly ConditionalDenoiser _network;
    private readonly CreativeOptions _options;
    private readonly Generator _generator;
    private readonly TrainingBatches _batches;
    private readonly WeightAverage _average;
    private readonly Parameter[] _parameters;
    private readonly FusedAdamW _optimizer;
    private readonly bool _bf16;
    private readonly Ranks _ranks;
    private double _sum, _summed, _mean = double.NaN; // of the losses since the last report
    private readonly Lazy<string> _identity;

    public CreativeRun(ConditionalDenoiser network, CreativeTrainingData data, CreativeOptions options, long seed, Ranks ranks)
    {
        (_network, _options, _ranks) = (network, options, ranks);
        ranks.Broadcast(network.state_dict().Values);
        _generator = new Generator((ulong)seed);
        _batches = new TrainingBatches(data, options, network.Conditioner, _generator);
        _parameters = [.. network.parameters()];
        _average = new WeightAverage(_parameters, options.EmaDecay);
        _optimizer = new FusedAdamW(_parameters, options.LearningRate, options.WeightDecay);
        _bf16 = options.Bf16 && network.Device.HasFastBFloat16();
        _identity = new Lazy<string>(() => Identity(data, options, seed));
    }

    public int Step { get; private set; }

    /// <summary>Mean loss of the last report.</summary>
    public double Loss => _mean;

    /// <returns>Whether it is time to report.</returns>
    public bool Advance(double rate)
    {
        using var scope = NewDisposeScope();
        _optimizer.SetLearningRate(rate);
        _network.zero_grad(); // to null: what takes no part in a step is not moved
        double loss = _ranks.Sum(Backward(_batches.Next().Share(_ranks)));
        _ranks.SumGradients(_parameters);
        if (!double.IsFinite(loss))
        {
            throw CatalogException.Precondition(
                $"The creative model's loss became {loss} at step {Step + 1} of {_options.Steps}. Lower LearningRate (now "
                + $"{_options.LearningRate}) or ClipNorm ({_options.ClipNorm}).");
        }

        nn.utils.clip_grad_norm_(_parameters, _options.ClipNorm);
        _optimizer.step();
        _average.Update();
        Step++;
        (_sum, _summed) = (_sum + loss, _summed + 1);
        if (Step % _options.ReportEvery != 0 && Step != _options.Steps)
        {
            return false;
        }

        (_mean, _sum, _summed) = (_sum / _summed, 0, 0);
        return true;
    }

    /// <summary>Sampling uses the average.</summary>
    public void Finish() => _average.Apply();

    /// <summary>Writes everything that the next step depends on, when it is time to.</summary>
    public void Save(TrainingCheckpoint? checkpoint)
    {
        if (checkpoint is not { Due: true } || Step == _options.Steps)
        {
            return;
        }

        using var scope = NewDisposeScope();
        var state = _batches.State();
        state.Add("loss", tensor(new[] { _sum, _summed, _mean }));
        foreach (var (name, weight) in _network.state_dict())
        {
            state.Add("network." + name, weight);
        }

        for (int i = 0; i < _parameters.Length; i++)
        {
            state.Add($"average.{i}", _average.Averages[i]);
        }

        checkpoint.Save(_identity.Value, Step, _optimizer, state);
        FaultPoints.Pass("creative/checkpoint");
    }

    /// <summary>Goes on where a checkpoint of this very training was written, if there is one.</summary>
    public void Restore(TrainingCheckpoint? checkpoint)
    {
        using var ungraded = no_grad();
        using var scope = NewDisposeScope();
        if (checkpoint?.Load(_identity.Value, _optimizer) is { } saved)
        {
            Step = (int)saved.Step;
            _batches.Restore(saved.Tensors);
            var losses = saved.Tensors["loss"].data<double>().ToArray();
            (_sum, _summed, _mean) = (losses[0], losses[1], losses[2]);
            foreach (var (name, weight) in _network.state_dict())
            {
                weight.copy_(saved.Tensors["network." + name]);
            }

            _average.Restore([.. _parameters.Select((_, i) => saved.Tensors[$"average.{i}"])], Step);
        }
    }

    public void Dispose()
    {
        _average.Dispose();
        _optimizer.Dispose();
        _generator.Dispose();
    }

    // Its share of the mean over the whole batch.
    private double Backward(TrainingBatch batch)
    {
        Tensor output;
        using (MixedPrecision.Scope(_bf16))
        {
            output = _network.Denoiser.Predict(batch.Noisy, batch.Time, _network.Conditioner.Encode(batch.Conditions));
        }

        var loss = functional.mse_loss(output, batch.Target) * ((double)batch.Conditions.Length / _options.BatchSize);
        loss.backward();
        return loss.item<float>();
    }

    private static string Identity(CreativeTrainingData data, CreativeOptions options, long seed)
    {
        using var identity = new TrainingIdentity();
        identity.Add(JsonSerializer.Serialize(new { options, seed, data.CodebookSizes, data.ImageSize }, Json.Files))
            .Add(string.Join(' ', data.Ids)).Add<bool>(data.Present).Add<byte>(data.Pixels);
        return identity.ToString();
    }
}
