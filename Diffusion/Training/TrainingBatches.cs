using Recsys.Diffusion.Codecs;
using Recsys.Diffusion.Conditioners;
using Recsys.Diffusion.Model;
using Recsys.Diffusion.Paths;
using Recsys.Diffusion.Predictions;
using Recsys.Diffusion.Recipes;

namespace Recsys.Diffusion.Training;

/// <param name="Noisy">[batch, channels, side, side]</param>
/// <param name="Time">[batch] as the network is told.</param>
/// <param name="Target">[batch, channels, side, side]</param>
/// <param name="Conditions">[batch] what is left of the semantic IDs after dropping.</param>
public sealed record TrainingBatch(Tensor Noisy, Tensor Time, Tensor Target, SemanticId[] Conditions)
{
    /// <summary>One rank's pictures.</summary>
    public TrainingBatch Share(Ranks ranks)
    {
        var (from, count) = ranks.Share(Conditions.Length);
        return new TrainingBatch(ranks.Share(Noisy), ranks.Share(Time), ranks.Share(Target), Conditions[(int)from..(int)(from + count)]);
    }
}

/// <summary>Draws batches: pictures in a new order each epoch, a time and noise for each, and codes dropped for guidance.</summary>
internal sealed class TrainingBatches
{
    private readonly CreativeTrainingData _data;
    private readonly CreativeOptions _options;
    private readonly Generator _generator;
    private readonly INoisePath _path;
    private readonly IPrediction _prediction;
    private readonly ITimeSampler _times;
    private readonly ILatentCodec _codec;
    private readonly SemanticIdConditioner _drops;
    private readonly Tensor _pixels; // [items, 3, size, size] bytes, on the conditioner's device
    private readonly long[] _items;
    private long[] _order = [];
    private int _next;

    public TrainingBatches(CreativeTrainingData data, CreativeOptions options, SemanticIdConditioner conditioner, Generator generator)
    {
        (_data, _options, _drops, _generator) = (data, options, conditioner, generator);
        _path = RecipeParts.Paths[options.Recipe.Path];
        _prediction = RecipeParts.Predictions[options.Recipe.Prediction];
        _times = RecipeParts.TimeSamplers[options.Recipe.Times];
        _codec = RecipeParts.Codecs[options.Recipe.Codec];
        _pixels = tensor(data.Pixels, [data.Ids.Length, 3, data.ImageSize, data.ImageSize], device: conditioner.Device);
        _items = [.. Enumerable.Range(0, data.Ids.Length).Where(i => data.Present[i]).Select(i => (long)i)];
    }

    public TrainingBatch Next()
    {
        int n = _options.BatchSize;
        var items = Enumerable.Range(0, n).Select(_ => NextItem()).ToArray();
        var pictures = _pixels.index_select(0, tensor(items, device: _pixels.device));
        var x0 = (pictures.to(ScalarType.Float32) / 127.5) - 1; // [n, 3, size, size] in [−1, 1]
        if (_options.Flip)
        {
            var mirrored = tensor(Uniform(n).Select(u => u < .5f).ToArray(), device: _pixels.device).reshape(n, 1, 1, 1);
            x0 = where(mirrored, x0.flip(3), x0);
        }

        x0 = _codec.Encode(x0);
        var times = _times.Draw(n, _generator).Select(share => share * _path.MaxTime).ToArray();
        var points = times.Select(_path.At).ToArray();
        var mixes = points.Select(_prediction.Mix).ToArray();
        var eps = randn(x0.shape, ScalarType.Float32, generator: _generator).to(x0.device); // drawn on the CPU: one stream for all devices
        return new TrainingBatch(
            (x0 * Column(points.Select(p => p.Alpha))) + (eps * Column(points.Select(p => p.Sigma))),
            tensor(times.Select(t => (float)_path.TimeInput(t)).ToArray(), device: x0.device),
            (x0 * Column(mixes.Select(m => m.X0))) + (eps * Column(mixes.Select(m => m.Eps))),
            [.. items.Zip(Uniform(n), (item, u) => _drops.Drop(_data.Ids[item], u))]);
    }

    /// <summary>Where in which order it is, for a checkpoint.</summary>
    public Dictionary<string, Tensor> State() =>
        new() { ["order"] = tensor(_order), ["next"] = tensor(new[] { (long)_next }), ["generator"] = _generator.get_state() };

    public void Restore(IReadOnlyDictionary<string, Tensor> state)
    {
        _order = state["order"].data<long>().ToArray();
        _next = (int)state["next"].item<long>();
        _generator.set_state(state["generator"]);
    }

    private Tensor Column(IEnumerable<double> values)
    {
        var column = values.Select(v => (float)v).ToArray();
        return tensor(column, [column.Length, 1, 1, 1], device: _pixels.device);
    }

    private float[] Uniform(int count)
    {
        using var draws = rand(count, ScalarType.Float32, generator: _generator);
        return draws.data<float>().ToArray();
    }

    private long NextItem()
    {
        if (_next == _order.Length)
        {
            using var order = randperm(_items.Length, ScalarType.Int64, generator: _generator);
            _order = [.. order.data<long>().ToArray().Select(i => _items[i])];
            _next = 0;
        }

        return _order[_next++];
    }
}
