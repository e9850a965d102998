namespace Grpc.Core;

/// <summary>What a channel's connections do.</summary>
public enum ConnectivityState
{
    /// <summary>No connection, and nobody asks for one.</summary>
    Idle,

    Connecting,

    /// <summary>Connected.</summary>
    Ready,

    /// <summary>The last try failed; the next one waits.</summary>
    TransientFailure,

    /// <summary>Disposed.</summary>
    Shutdown,
}
