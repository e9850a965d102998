namespace Recsys.Torch;

/// <summary>Why ranks could not work together.</summary>
public enum DistributedFault
{
    /// <summary>Another rank ended, or its connection broke.</summary>
    PeerLost,

    /// <summary>Another rank is there but gave no sign of life for longer than the heartbeat timeout.</summary>
    PeerSilent,

    /// <summary>A collective was not joined by all ranks within the group's timeout.</summary>
    Timeout,

    /// <summary>Rank, world size, address or backend are missing or do not fit together.</summary>
    Configuration,

    /// <summary>The ranks were given different work.</summary>
    Mismatch,

    /// <summary>The backend failed for a reason of its own.</summary>
    Backend,
}

/// <summary>The typed error of everything that needs other ranks. After one of the first three the process group is of no more use.</summary>
public sealed class DistributedException : Exception
{
    public DistributedException(DistributedFault fault, string message, int? peer = null, Exception? inner = null)
        : base(message, inner) => (Fault, Peer) = (fault, peer);

    public DistributedFault Fault { get; }

    /// <summary>The rank that failed, where it is known.</summary>
    public int? Peer { get; }
}
