
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

    /// <summary>Notes every value that is out of its range.</summary>
    public void Check(Faults faults)
    {
        const string Section = "creative.recipe.denoiser.";
        faults.Check(Channels is >= 8 and <= 512 && Channels % 8 == 0, Section + "channels", Channels, "a multiple of 8 from 8 to 512");
        faults.Check(
            Multipliers.Length is >= 1 and <= 5 && Multipliers.All(m => m is >= 1 and <= 8), Section + "multipliers",
            $"[{string.Join(", ", Multipliers)}]", "1 to 5 numbers from 1 to 8");
        faults.Range(Section + "blocks", Blocks, 1, 4);
        faults.Range(Section + "middle_blocks", MiddleBlocks, 1, 2);
        faults.Check(
            AttentionLevels.All(level => level >= 0 && level < Multipliers.Length), Section + "attention_levels",
            $"[{string.Join(", ", AttentionLevels)}]", $"levels 0 to {Multipliers.Length - 1}");
        faults.Range(Section + "head_channels", HeadChannels, 8, 128);
        if (HeadChannels is >= 8 and <= 128)
        {
            var levels = AttentionLevels.Append(Multipliers.Length - 1).Where(level => level >= 0 && level < Multipliers.Length);
            faults.Check(
                levels.All(level => Channels * Multipliers[level] % HeadChannels == 0), Section + "head_channels", HeadChannels,
                "a divisor of the channels of every level that attends");
        }
    }
}
