namespace Recsys.Diffusion.Training;

/// <summary>Which times a training batch looks at, as shares of the path's <see cref="INoisePath.MaxTime"/>.</summary>
public interface ITimeSampler
{
    /// <summary>[count] values in (0, 1).</summary>
    double[] Draw(int count, Generator generator);
}

/// <summary>Every time alike.</summary>
public sealed class UniformTimes : ITimeSampler
{
    public double[] Draw(int count, Generator generator)
    {
        using var scope = NewDisposeScope();
        return [.. rand(count, ScalarType.Float32, generator: generator).data<float>().ToArray().Select(u => Math.Max(u, 1e-5))];
    }
}

/// <summary>sigmoid of a normal: the middle of the path, where the picture is decided, more often (Esser et al. 2024, equation
/// 19).</summary>
public sealed class LogitNormalTimes(double mean = 0, double deviation = 1) : ITimeSampler
{
    public double[] Draw(int count, Generator generator)
    {
        using var scope = NewDisposeScope();
        var normal = randn(count, ScalarType.Float32, generator: generator).data<float>().ToArray();
        return [.. normal.Select(z => 1 / (1 + Math.Exp(-(mean + (deviation * z)))))];
    }
}
