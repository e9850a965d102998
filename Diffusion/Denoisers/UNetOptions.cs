namespace Recsys.Diffusion.Denoisers;

/// <summary>The size of a U-Net.</summary>
public sealed record UNetOptions
{
    /// <summary>Channels of the finest level: 8 to 512, a multiple of 8.</summary>
    public int Channels { get; init; } = 64;

    /// <summary>Width of each level over <see cref="Channels"/>; each level after the first halves the side. 1 to 5 of them, each 1 to
    /// 8.</summary>
    public int[] Multipliers { get; init; } = [1, 2];

    /// <summary>Residual blocks of a level, on either way: 1 to 4.</summary>
    public int Blocks { get; init; } = 2;

    /// <summary>Levels that attend, 0 being the finest; the middle always does.</summary>
    public int[] AttentionLevels { get; init; } = [1];

    /// <summary>Channels of an attention head: 8 to 128; it divides the width of every level that attends.</summary>
    public int HeadChannels { get; init; } = 32;

    /// <summary>Residual blocks of the middle, around its attention: 1 or 2.</summary>
    public int MiddleBlocks { get; init; } = 1;

    /// <summary>Width of time embedding and condition.</summary>
    public int EmbeddingDim => 4 * Channels;

    /// <summary>Everything that is out of range, one sentence each.</summary>
    public IEnumerable<string> Faults()
    {
        if (Channels is < 8 or > 512 || Channels % 8 != 0)
        {
            yield return $"Denoiser.Channels {Channels}: allowed are multiples of 8 from 8 to 512.";
        }

        if (Multipliers.Length is < 1 or > 5 || Multipliers.Any(m => m is < 1 or > 8))
        {
            yield return $"Denoiser.Multipliers [{string.Join(", ", Multipliers)}]: allowed are 1 to 5 numbers from 1 to 8.";
        }

        if (Blocks is < 1 or > 4)
        {
            yield return $"Denoiser.Blocks {Blocks}: allowed are 1 to 4.";
        }

        if (MiddleBlocks is < 1 or > 2)
        {
            yield return $"Denoiser.MiddleBlocks {MiddleBlocks}: allowed are 1 and 2.";
        }

        if (AttentionLevels.Any(level => level < 0 || level >= Multipliers.Length))
        {
            yield return $"Denoiser.AttentionLevels [{string.Join(", ", AttentionLevels)}]: allowed are levels 0 to "
                + $"{Multipliers.Length - 1}.";
        }

        if (HeadChannels is < 8 or > 128)
        {
            yield return $"Denoiser.HeadChannels {HeadChannels}: allowed are 8 to 128.";
        }
        else if (
            AttentionLevels.Append(Multipliers.Length - 1).FirstOrDefault(
                level => level >= 0 && level < Multipliers.Length && Channels * Multipliers[level] % HeadChannels != 0,
                -1) is int odd and >= 0)
        {
            yield return $"Denoiser.HeadChannels {HeadChannels} does not divide level {odd}'s {Channels * Multipliers[odd]} channels.";
        }
    }
}
