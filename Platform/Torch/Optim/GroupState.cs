using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch.Optim;

/// <summary>Step counts and state tensors of one parameter group; the tensors are made at the first step.</summary>
/// <param name="layout">Shape and dtype of a state tensor; null where they are its parameter's, strides included.</param>
internal sealed class GroupState(Parameter[] parameters, string[] slotNames, Func<Parameter, string, (long[] Shape, ScalarType Dtype)?> layout) : IDisposable
{
    public Parameter[] Parameters { get; } = parameters;

    public string[] SlotNames { get; } = slotNames;

    /// <summary>Updates that each parameter has had.</summary>
    public long[] Steps { get; } = new long[parameters.Length];

    /// <summary>[slot][parameter]</summary>
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
            Slots = [.. SlotNames.Select(slot => Parameters.Select(p => Filled(p, layout(p, slot), initial)).ToArray())];
        }
    }

    public long[] ShapeOf(int slot, int parameter) => layout(Parameters[parameter], SlotNames[slot])?.Shape ?? Parameters[parameter].shape;

    public void Dispose()
    {
        foreach (Tensor tensor in Slots.SelectMany(s => s))
        {
            tensor.Dispose();
        }
    }

    private static Tensor Filled(Parameter parameter, (long[] Shape, ScalarType Dtype)? own, double value)
    {
        Tensor state = (own is var (shape, dtype) ? zeros(shape, dtype, parameter.device) : Dispatcher.Call("zeros_like", parameter)).DetachFromDisposeScope();
        if (value != 0)
        {
            Dispatcher.Run("fill_.Scalar", state, value);
        }

        return state;
    }
}
