using System.Runtime.InteropServices;

namespace Recsys.Torch;

/// <summary>What kind of failure libtorch reported.</summary>
public enum TorchFault
{
    /// <summary>The operator refused its arguments (shapes, dtypes, devices) or failed.</summary>
    Operator,

    /// <summary>An index was out of range.</summary>
    Index,

    /// <summary>An argument had the wrong type or kind, or was missing.</summary>
    Argument,

    /// <summary>This libtorch has no such operator, or not for this dtype or device.</summary>
    Unsupported,

    /// <summary>Memory ran out.</summary>
    Memory,

    /// <summary>Anything else.</summary>
    Unknown,
}

/// <summary>
/// The one typed error of tensor code. The message names the operator, the shapes and dtypes it was given, and libtorch's reason.
/// </summary>
public sealed class TorchException : ExternalException
{
    public TorchException(TorchFault fault, string message, string? operatorName = null)
        : base(message)
    {
        Fault = fault;
        Operator = operatorName;
    }

    public TorchFault Fault { get; }

    /// <summary>The ATen operator, such as <c>add.Tensor</c>; null where the failure was not an operator's.</summary>
    public string? Operator { get; }
}
