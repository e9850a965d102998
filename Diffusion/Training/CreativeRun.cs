using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace Recsys.Diffusion;

/// <summary>The optimiser steps of one training, on one rank or, each with its share of every batch, on several.</summary>
internal sealed class CreativeRun : IDisposable
{
    private readonly ConditionalDenoiser _network;
    private readonly CreativeOptions _options;
    private readonly Generator _generator;
    private readonly TrainingBatches _batches;
    private readonly ExponentialMovingAverage _average;
    private readonly Parameter[] _parameters;
    private readonly optim.Optimizer _optimizer;
    private readonly DataParallel _parallel;
    private readonly bool _bf16;
    private double _sum, _summed, _mean = double.NaN; // of the losses since the last report
    private readonly Lazy<string> _identity;

    public CreativeRun(ConditionalDenoiser network, CreativeTrainingData data, CreativeOptions options, long seed)
    {
        (_network, _options) = (network, options);
        _generator = new Generator((ulong)seed);
        _batches = new TrainingBatches(data, options, network.Conditioner, _generator);
        _parameters = [.. network.parameters()];
        _parallel = new DataParallel(_parameters);
        _average = new ExponentialMovingAverage(network, options.EmaDecay);
        _optimizer = optim.AdamW(_parameters, options.LearningRate, weight_decay: options.WeightDecay);
        _bf16 = options.Bf16 && TorchRuntime.CpuHasBFloat16;
        _identity = new Lazy<string>(() => Identity(data, options, seed));
        if (_parallel.IsDistributed)
        {
            _parallel.RequireSame("creative training (options, data or seed)", _identity.Value);
        }
    }

    public int Step { get; private set; }

    /// <summary>Mean loss of the last report.</summary>
    public double Loss => _mean;

    /// <returns>Whether it is time to report.</returns>
    public bool Advance(double rate)
    {
        using var scope = NewDisposeScope();
        foreach (var group in _optimizer.ParamGroups)
        {
            group.LearningRate = rate;
        }

        _parallel.Prepare();
        var (from, to) = _parallel.Share(_options.BatchSize);
        double share = (double)(to - from) / _options.BatchSize, loss = _parallel.Finish(Backward(_batches.Next().Part(from, to), share))[0];
        if (!double.IsFinite(loss))
        {
            throw CatalogException.Precondition($"The creative model's loss became {loss} at step {Step + 1} of {_options.Steps}. Lower LearningRate (now {_options.LearningRate}) or ClipNorm ({_options.ClipNorm}).");
        }

        nn.utils.clip_grad_norm_(_parameters, _options.ClipNorm);
        _optimizer.step();
        _optimizer.zero_grad();
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
    public void Finish() => _average.CopyTo();

    /// <summary>Writes everything that the next step depends on, when it is time to.</summary>
    public void Save(TrainingCheckpoint? checkpoint)
    {
        if (checkpoint is not { Due: true } || _parallel.Rank > 0 || Step == _options.Steps)
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

        foreach (var (name, average) in _average.state_dict())
        {
            state.Add("average." + name, average);
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

            _average.load_state_dict(_average.state_dict().Keys.ToDictionary(name => name, name => saved.Tensors["average." + name]), Step);
        }

        _parallel.RequireSame("checkpoint", $"{Step}");
    }

    public void Dispose()
    {
        _parallel.Dispose();
        _average.Dispose();
        _optimizer.Dispose();
        _generator.Dispose();
    }

    private double Backward(TrainingBatch batch, double share)
    {
        if (batch.Conditions.Length == 0)
        {
            return 0; // more ranks than pictures in a batch
        }

        Tensor output;
        using (Autocast.Cpu(enabled: _bf16))
        {
            output = _network.Denoiser.Predict(batch.Noisy, batch.Time, _network.Conditioner.Encode(batch.Conditions));
        }

        var loss = functional.mse_loss(output, batch.Target);
        (share == 1 ? loss : loss * share).backward();
        return loss.item<float>() * share;
    }

    private static string Identity(CreativeTrainingData data, CreativeOptions options, long seed)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(JsonSerializer.SerializeToUtf8Bytes(new { options, seed, data.CodebookSizes, data.ImageSize }, Recipe.Json));
        foreach (var id in data.Ids)
        {
            hash.AppendData(System.Text.Encoding.UTF8.GetBytes(id + " "));
        }

        hash.AppendData(MemoryMarshal.AsBytes(data.Present.AsSpan()));
        hash.AppendData(data.Pixels);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
