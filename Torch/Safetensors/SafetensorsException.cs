namespace Recsys.Torch.Safetensors;

/// <summary>A safetensors file that breaks the format, or tensors that it cannot hold. The message names the place, the value and the
/// limit.</summary>
public sealed class SafetensorsException(string message, Exception? inner = null) : Exception(message, inner);
