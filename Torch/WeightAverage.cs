namespace Recsys.Torch;

/// <summary>
/// Exponential moving average of weights, which samples and generalises better than the last ones (Polyak and Juditsky 1992). The decay
/// is shorter at first, min(decay, (1 + step) / (10 + step)), so that the first values are soon forgotten.
/// </summary>
public sealed class WeightAverage : IDisposable
{
    private readonly IReadOnlyList<Parameter> _parameters;
    private readonly List<Tensor> _averages;
    private readonly double _decay;

    /// <param name="parameters">As they are now, they are the first average.</param>
    /// <param name="decay">0 to below 1; 0.999 averages about the last 1,000 updates.</param>
    public WeightAverage(IReadOnlyList<Parameter> parameters, double decay)
    {
        if (decay is not (>= 0 and < 1))
        {
            throw new TorchException($"The decay of an average is {decay}; allowed are 0 to below 1.");
        }

        using var _ = no_grad();
        (_parameters, _decay) = (parameters, decay);
        _averages = [.. parameters.Select(parameter => parameter.detach().clone().DetachFromDisposeScope())];
    }

    /// <summary>Updates so far.</summary>
    public long Updates { get; private set; }

    /// <summary>In the order of the parameters.</summary>
    public IReadOnlyList<Tensor> Averages => _averages;

    /// <summary>Called after every optimiser step.</summary>
    public void Update()
    {
        using var _ = no_grad();
        Updates++;
        double share = 1 - Math.Min(_decay, (1.0 + Updates) / (10.0 + Updates));
        for (int i = 0; i < _averages.Count; i++)
        {
            _averages[i].lerp_(_parameters[i], share).DetachFromDisposeScope();
        }
    }

    /// <summary>Goes on from averages of so many updates.</summary>
    /// <exception cref="TorchException">They are not of these parameters; nothing was written.</exception>
    public void Restore(IReadOnlyList<Tensor> averages, long updates)
    {
        if (averages.Count != _averages.Count)
        {
            throw new TorchException($"{averages.Count} averages are given, {_averages.Count} are expected.");
        }

        for (int i = 0; i < averages.Count; i++)
        {
            if (!averages[i].shape.SequenceEqual(_averages[i].shape) || averages[i].dtype != _averages[i].dtype)
            {
                throw new TorchException($"average {i} is {StateDict.Describe(averages[i])}, expected {StateDict.Describe(_averages[i])}.");
            }
        }

        Copy(averages, _averages);
        Updates = updates;
    }

    /// <summary>Copies the averages into the parameters.</summary>
    public void Apply() => Copy(_averages, _parameters);

    public void Dispose() => _averages.ForEach(average => average.Dispose());

    private static void Copy(IReadOnlyList<Tensor> from, IReadOnlyList<Tensor> to)
    {
        using var _ = no_grad();
        foreach (var (source, target) in from.Zip(to))
        {
            target.copy_(source);
        }
    }
}
