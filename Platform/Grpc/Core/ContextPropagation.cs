namespace Grpc.Core;

/// <summary>Which parts of a server call a client call inherits.</summary>
public class ContextPropagationOptions(bool propagateDeadline = true, bool propagateCancellation = true)
{
    public static readonly ContextPropagationOptions Default = new();

    public bool IsPropagateDeadline { get; } = propagateDeadline;

    public bool IsPropagateCancellation { get; } = propagateCancellation;
}

/// <summary>Deadline and cancellation of a server call, to be handed to client calls made on its behalf.</summary>
public abstract class ContextPropagationToken
{
    internal ContextPropagationToken()
    {
    }

    internal abstract DateTime? ParentDeadline { get; }

    internal abstract CancellationToken ParentCancellationToken { get; }
}

internal sealed class CallContextPropagationToken(ServerCallContext parent, ContextPropagationOptions options) : ContextPropagationToken
{
    internal override DateTime? ParentDeadline =>
        options.IsPropagateDeadline && parent.Deadline != DateTime.MaxValue ? parent.Deadline : null;

    internal override CancellationToken ParentCancellationToken => options.IsPropagateCancellation ? parent.CancellationToken : default;
}
