using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch.Optim;

/// <summary>Step counts and state tensors of one parameter group; the tensors are made at the first step.</summary>
internal sealed class GroupState(Parameter[] parameters, string[] slotNames) : IDisposable
{
    public Parameter[] Parameters { get; } = parameters;

    public string[] SlotNames { get; } = slotNames;

    /// <summary>Updates that each parameter has had.</summary>
    public long[] Steps { get; } = new long[parameters.Length];

    /// <summary>[slot][parameter], each of its parameter's shape and dtype.</summary>
    public Tensor[][] Slots { get; private set; } = [];

    public bool IsPrepared => Slots.Length == SlotNames.Length;

    public void Prepare(double initial)
    {
        if (IsPrepared)
        {
            return;
        }

        using (no_grad())
        {
            Slots = [.. SlotNames.Select(_ => Parameters.Select(p => Filled(p, initial)).ToArray())];
        }
    }

    public void Dispose()
    {
        foreach (Tensor tensor in Slots.SelectMany(s => s))
        {
            tensor.Dispose();
        }
    }

    private static Tensor Filled(Parameter parameter, double value)
    {
        Tensor state = Dispatcher.Call("zeros_like", parameter).DetachFromDisposeScope();
        if (value != 0)
        {
            Dispatcher.Run("fill_.Scalar", state, value);
        }

        return state;
    }
}
