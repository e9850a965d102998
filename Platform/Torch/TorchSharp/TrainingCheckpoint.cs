namespace Recsys.Torch;

/// <summary>None: TorchSharp's optimisers do not give their state by name, so a training that was stopped starts at the beginning.</summary>
public sealed class TrainingCheckpoint
{
    public TrainingCheckpoint(string path, TimeSpan every) => _ = (path, every);

    public bool Due => false;

    public void Save(string key, long step, optim.Optimizer optimizer, IReadOnlyDictionary<string, Tensor> tensors) => throw new InvalidOperationException("No checkpoint is ever due with TorchSharp behind the names.");

    public (long Step, Dictionary<string, Tensor> Tensors)? Load(string key, optim.Optimizer optimizer) => null;

    public void Delete()
    {
    }
}
