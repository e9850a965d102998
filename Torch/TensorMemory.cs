namespace Recsys.Torch;

/// <summary>Where tensors keep their numbers.</summary>
internal static class TensorMemory
{
    /// <summary>Address of the first element of a dense CPU tensor, valid while the tensor is alive; null where it is empty.</summary>
    internal static unsafe nint Address(this Tensor tensor)
    {
        if (tensor.numel() == 0)
        {
            return 0;
        }

        // TorchSharp's view of the bytes ends at 2 GiB; one element of the same memory begins at the same place.
        using var first = tensor.numel() * tensor.element_size() > int.MaxValue ? tensor.view(-1).narrow(0, 0, 1) : null;
        fixed (byte* memory = (first ?? tensor).bytes)
        {
            return (nint)memory; // native memory: nothing moves it
        }
    }
}
