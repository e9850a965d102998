namespace Recsys.Torch;

/// <summary>Sources shared with our own backend open this class; TorchSharp's is opened for the whole project.</summary>
internal static class torch
{
    /// <summary>Bytes of one element.</summary>
    internal static int SizeOf(ScalarType type) => type.ElementSize();
}
