namespace Recsys.Torch;

/// <summary>Numbers into tensors and out of them.</summary>
public static class Tensors
{
    /// <summary>
    /// A tensor with memory of its own. TorchSharp's <c>tensor(array)</c> lies on the pinned array, and MKL's products round by the address
    /// of what they read: the same numbers gave other last bits at each run.
    /// </summary>
    /// <param name="values">Row-major.</param>
    /// <returns>[shape]</returns>
    public static Tensor Copy(float[] values, params long[] shape)
    {
        using var onArray = tensor(values, shape);
        return onArray.clone();
    }

    /// <summary>The numbers of a tensor where they lie, valid while it is alive. (An accessor's <c>ToArray</c> asks the library for each
    /// of them.)</summary>
    /// <param name="dense">Contiguous, on the CPU, of element type T.</param>
    /// <exception cref="OverflowException">More than 2³¹ − 1 numbers.</exception>
    public static unsafe ReadOnlySpan<T> Values<T>(Tensor dense)
        where T : unmanaged => new((void*)dense.Address(), checked((int)dense.numel()));
}
