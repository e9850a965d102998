namespace Recsys.Torch;

/// <summary>A device, a shape or a state that does not fit. The message says what, the value, what is allowed and what to do.</summary>
public sealed class TorchException(string message, Exception? inner = null) : Exception(message, inner);
