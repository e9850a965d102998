namespace Recsys.Torch;

/// <summary>What safetensors asks of a tensor beyond TorchSharp's names.</summary>
internal static class TensorMemory
{
    /// <summary>Where a contiguous CPU tensor's first element lies; valid while the tensor is alive.</summary>
    internal static unsafe nint DataPointer(this Tensor tensor)
    {
        fixed (byte* first = tensor.bytes)
        {
            return (nint)first; // native memory: nothing moves it
        }
    }
}
