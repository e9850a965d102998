namespace Recsys.Torch;

/// <summary>A training on one rank: collectives belong to our own backend.</summary>
public sealed class DataParallel : IDisposable
{
    /// <exception cref="InvalidOperationException">The environment asks for several ranks.</exception>
    public DataParallel(IEnumerable<Tensor> parameters)
    {
        _ = parameters;
        if (Environment.GetEnvironmentVariable("WORLD_SIZE") is { Length: > 0 } size && size != "1")
        {
            throw new InvalidOperationException($"WORLD_SIZE is {size}, but with TorchSharp behind the names there are no collectives: train on one rank, or build without -p:TorchBackend.");
        }
    }

    public int Rank => 0;

    public int WorldSize => 1;

    public bool IsDistributed => false;

    public (int From, int To) Share(int count) => (0, count);

    public void Synchronise(IEnumerable<Tensor> tensors) => _ = tensors;

    public void Prepare()
    {
    }

    public double[] Finish(params double[] sums) => sums;

    public void Sum(Tensor tensor) => _ = tensor;

    public void RequireSame(string what, string value) => _ = (what, value);

    public void Dispose()
    {
    }
}
