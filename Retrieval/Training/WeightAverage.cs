namespace Recsys.Retrieval.Training;

/// <summary>Exponential moving average of the weights, its decay shorter at first: min(decay, (1 + step) / (10 + step)).</summary>
internal sealed class WeightAverage : IDisposable
{
    private readonly IReadOnlyList<Parameter> _parameters;
    private readonly List<Tensor> _averages;
    private readonly double _decay;
    private int _step;

    public WeightAverage(IReadOnlyList<Parameter> parameters, double decay)
    {
        using var _ = no_grad();
        (_parameters, _decay) = (parameters, decay);
        _averages = [.. parameters.Select(parameter => parameter.clone().DetachFromDisposeScope())];
    }

    /// <summary>In the order of the parameters.</summary>
    public IReadOnlyList<Tensor> Averages => _averages;

    /// <summary>Goes on from averages of <paramref name="steps"/> updates.</summary>
    public void Restore(IReadOnlyList<Tensor> averages, int steps)
    {
        using var _ = no_grad();
        _step = steps;
        for (int i = 0; i < _averages.Count; i++)
        {
            _averages[i].copy_(averages[i]);
        }
    }

    public void Update()
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        _step++;
        double share = 1 - Math.Min(_decay, (1.0 + _step) / (10.0 + _step));
        for (int i = 0; i < _averages.Count; i++)
        {
            _averages[i].lerp_(_parameters[i], share);
        }
    }

    /// <summary>Copies the averages into the parameters.</summary>
    public void Apply()
    {
        using var _ = no_grad();
        for (int i = 0; i < _averages.Count; i++)
        {
            _parameters[i].copy_(_averages[i]);
        }
    }

    public void Dispose() => _averages.ForEach(average => average.Dispose());
}
