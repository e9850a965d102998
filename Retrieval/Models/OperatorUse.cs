using Recsys.Torch;

namespace Recsys.Retrieval.Models;

/// <summary>How TorchSharp's operators answer, where no loops of ours do.</summary>
/// <param name="FixedShapes">Whether tensors have a few sizes (<see cref="Models.FixedShapes"/>).</param>
/// <param name="BFloat16">Whether the products of the transformers are bf16.</param>
internal readonly record struct OperatorUse(bool FixedShapes, bool BFloat16)
{
    /// <summary>Fixed shapes everywhere but on a CPU, and there the arithmetic that is asked for.</summary>
    public static OperatorUse Of(Device device, Arithmetic arithmetic)
    {
        bool elsewhere = device.type != DeviceType.CPU;
        return new OperatorUse(elsewhere, elsewhere && arithmetic == Arithmetic.BFloat16);
    }

    /// <summary>Until the result is disposed, this thread's products are such.</summary>
    public IDisposable Scope() => MixedPrecision.Scope(BFloat16);
}
