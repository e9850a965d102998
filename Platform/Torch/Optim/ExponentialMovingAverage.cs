using Recsys.Torch.Optim;
using static Recsys.Torch.torch;

namespace Recsys.Torch;

/// <summary>
/// Moving average of a module's weights, which samples and generalises better than the last ones: average ← d·average + (1-d)·weight.
/// The decay starts low, min(d, (1 + t) / (10 + t)), so that the first values are soon forgotten.
/// </summary>
public sealed class ExponentialMovingAverage : IDisposable
{
    private readonly string[] _names;
    private readonly Tensor[] _weights;
    private readonly Tensor[] _averages;
    private readonly double _decay;
    private readonly bool _warmUp;
    private Tensor[]? _stored;

    /// <param name="module">Its parameters, as they are now, are the first average.</param>
    /// <param name="decay">In [0, 1); 0.999 averages about the last 1,000 updates.</param>
    /// <param name="warmUp">False takes the full decay from the first update on.</param>
    public ExponentialMovingAverage(nn.Module module, double decay, bool warmUp = true)
    {
        ArgumentNullException.ThrowIfNull(module);
        if (decay is not (>= 0 and < 1))
        {
            throw new ArgumentException($"decay is {decay}; it must be in [0, 1)");
        }

        var named = module.named_parameters().ToArray();
        (_decay, _warmUp) = (decay, warmUp);
        _names = [.. named.Select(p => p.name)];
        _weights = [.. named.Select(p => p.parameter)];
        _averages = Copies(_weights);
    }

    /// <summary>Updates so far.</summary>
    public long Updates { get; private set; }

    /// <summary>Call after every optimiser step.</summary>
    public void Update()
    {
        Updates++;
        double decay = _warmUp ? Math.Min(_decay, (1.0 + Updates) / (10.0 + Updates)) : _decay;
        NativeOptimizer.Lerp(_averages, _weights, 1 - decay);
    }

    /// <summary>Keeps a copy of the module's own weights for <see cref="Restore"/>.</summary>
    public void Store()
    {
        DisposeStored();
        _stored = Copies(_weights);
    }

    /// <summary>Overwrites the module's weights with the averages.</summary>
    public void CopyTo() => Copy(_averages, _weights);

    /// <summary>Puts the stored weights back.</summary>
    /// <exception cref="InvalidOperationException">Nothing was stored.</exception>
    public void Restore()
    {
        Copy(_stored ?? throw new InvalidOperationException("nothing was stored; call Store() before CopyTo()"), _weights);
        DisposeStored();
    }

    /// <summary>The module has the averages until the result is disposed: <c>using (ema.Applied()) { evaluate }</c>.</summary>
    public IDisposable Applied()
    {
        Store();
        CopyTo();
        return new Application(this);
    }

    /// <summary>The averages by parameter name (the tensors themselves) for a snapshot.</summary>
    public Dictionary<string, Tensor> state_dict() => _names.Zip(_averages).ToDictionary(p => p.First, p => p.Second);

    /// <summary>Takes averages and the number of updates from a snapshot.</summary>
    /// <exception cref="StateDictException">A name is missing or a shape differs; nothing was written.</exception>
    public void load_state_dict(IReadOnlyDictionary<string, Tensor> source, long updates)
    {
        ArgumentNullException.ThrowIfNull(source);
        List<string> missing = [.. _names.Where(n => !source.ContainsKey(n))];
        List<string> misshapen = [];
        for (int i = 0; i < _names.Length; i++)
        {
            if (source.TryGetValue(_names[i], out Tensor? from) && !from.shape.AsSpan().SequenceEqual(_averages[i].shape))
            {
                misshapen.Add($"{_names[i]} is [{string.Join(", ", from.shape)}], expected [{string.Join(", ", _averages[i].shape)}]");
            }
        }

        if (missing.Count + misshapen.Count > 0)
        {
            throw new StateDictException("the average", missing, [], misshapen);
        }

        Copy([.. _names.Select(n => source[n])], _averages);
        Updates = updates;
    }

    public void Dispose()
    {
        DisposeStored();
        foreach (Tensor average in _averages)
        {
            average.Dispose();
        }
    }

    private static Tensor[] Copies(Tensor[] tensors)
    {
        using (no_grad())
        {
            return [.. tensors.Select(t => t.clone().DetachFromDisposeScope())];
        }
    }

    private static void Copy(Tensor[] from, Tensor[] to)
    {
        using (no_grad())
        {
            foreach ((Tensor source, Tensor target) in from.Zip(to))
            {
                target.copy_(source);
            }
        }
    }

    private void DisposeStored()
    {
        foreach (Tensor tensor in _stored ?? [])
        {
            tensor.Dispose();
        }

        _stored = null;
    }

    private sealed class Application(ExponentialMovingAverage owner) : IDisposable
    {
        private bool _ended;

        public void Dispose()
        {
            if (!_ended)
            {
                _ended = true;
                owner.Restore();
            }
        }
    }
}
