namespace Recsys.Torch;

/// <summary>Tensors from arrays.</summary>
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
}
