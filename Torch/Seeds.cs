namespace Recsys.Torch;

/// <summary>Random streams from one seed.</summary>
public static class Seeds
{
    /// <summary>A seed of 32 bits for <see cref="Random"/> that depends on all 64 of another.</summary>
    public static int ToInt32(long seed) => unchecked((int)(seed ^ (seed >> 32)));
}
