namespace Grpc.Core;

[Flags]
public enum WriteFlags
{
    /// <summary>The message may wait for later ones instead of being flushed at once.</summary>
    BufferHint = 0x1,

    /// <summary>The message is sent uncompressed.</summary>
    NoCompress = 0x2,
}

/// <summary>How messages of a stream are written.</summary>
public class WriteOptions(WriteFlags flags = default)
{
    public static readonly WriteOptions Default = new();

    public WriteFlags Flags { get; } = flags;
}
