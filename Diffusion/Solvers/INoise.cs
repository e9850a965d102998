namespace Recsys.Diffusion.Solvers;

/// <summary>Every random draw of sampling goes through here.</summary>
public interface INoise
{
    /// <summary>Standard normal numbers for each item of the batch: [items, shape…].</summary>
    Tensor Normal(params long[] shape);
}

/// <summary>A generator of its own for each picture: picture i is the same whatever the batch that it is drawn in.</summary>
public sealed class SeedPerImage : INoise, IDisposable
{
    private readonly Generator[] _generators;

    private readonly Device _device;

    /// <param name="device">Where the numbers are wanted; they are drawn on the CPU, so a picture does not depend on it.</param>
    public SeedPerImage(IEnumerable<long> seeds, Device? device = null) =>
        (_generators, _device) = ([.. seeds.Select(seed => new Generator((ulong)seed))], device ?? CPU);

    public Tensor Normal(params long[] shape)
    {
        using var scope = NewDisposeScope();
        // [items, shape…]
        return stack([.. _generators.Select(g => randn(shape, ScalarType.Float32, generator: g))]).to(_device).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (var generator in _generators)
        {
            generator.Dispose();
        }
    }
}
